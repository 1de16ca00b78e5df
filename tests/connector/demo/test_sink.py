"""The demo's mailbox, asked by an SMTP client that is not ours."""

import smtplib
from email.message import EmailMessage

from connector.demo.sink import MailSink


def test_a_mail_is_kept_as_it_was_sent_also_lines_of_dots_and_several_on_one_connection() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@shop.example", "b@customer.example", "Γεια"
    mail.set_content(".\n..\nlast\n")
    with MailSink() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        client.send_message(mail)
        client.send_message(mail)
        assert [one["Subject"] for one in sink.mails] == ["Γεια", "Γεια"]
        assert str(sink.mails[0].get_content()).splitlines() == [".", "..", "last"]
