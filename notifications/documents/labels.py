"""The fixed words of a document in each language; a word that is missing is a type error (P9)."""

from dataclasses import dataclass

from connector.domain.errors import Permanent


class LanguageNotPrinted(Permanent):
    """Documents are not printed in this language. Choose another one for the order, or add it to labels.py."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The words on a document. `{…}` stands for what is filled in."""

    invoice: str
    issued_on: str
    order: str
    ordered_on: str
    paid_on: str
    payment_method: str
    purchase_number: str
    buyer: str
    delivery: str
    tax_id: str
    item: str
    sku: str
    quantity: str
    unit_price: str
    discount: str
    tax: str
    amount: str
    prices_include_tax: str
    prices_exclude_tax: str
    subtotal: str
    discount_taken_off: str
    tax_total: str
    tax_inside: str
    total: str
    paid: str
    tax_rate: str
    tax_base: str
    page: str
    shipping: str
    fee: str
    duty: str
    tip: str
    rounding: str
    credit: str


LABELS = {
    "en": Labels(
        invoice="Invoice",
        issued_on="Invoice date",
        order="Order",
        ordered_on="Order date",
        paid_on="Payment date",
        payment_method="Payment method",
        purchase_number="Your reference",
        buyer="Billed to",
        delivery="Delivered to",
        tax_id="Tax ID",
        item="Description",
        sku="Item no.",
        quantity="Quantity",
        unit_price="Unit price",
        discount="Discount",
        tax="Tax",
        amount="Amount",
        prices_include_tax="All prices in {currency}, tax included.",
        prices_exclude_tax="All prices in {currency}, before tax.",
        subtotal="Subtotal",
        discount_taken_off="Discount already taken off",
        tax_total="Tax",
        tax_inside="Tax included",
        total="Total",
        paid="Paid",
        tax_rate="Rate",
        tax_base="Net amount",
        page="Page {page} of {pages}",
        shipping="Shipping",
        fee="Fee",
        duty="Duties",
        tip="Tip",
        rounding="Rounding",
        credit="Credit",
    ),
    "es": Labels(
        invoice="Factura",
        issued_on="Fecha de factura",
        order="Pedido",
        ordered_on="Fecha del pedido",
        paid_on="Fecha de pago",
        payment_method="Forma de pago",
        purchase_number="Su referencia",
        buyer="Facturado a",
        delivery="Entregado en",
        tax_id="Identificación fiscal",
        item="Descripción",
        sku="Ref.",
        quantity="Cantidad",
        unit_price="Precio unitario",
        discount="Descuento",
        tax="Impuesto",
        amount="Importe",
        prices_include_tax="Precios en {currency}, impuestos incluidos.",
        prices_exclude_tax="Precios en {currency}, sin impuestos.",
        subtotal="Subtotal",
        discount_taken_off="Descuento ya aplicado",
        tax_total="Impuestos",
        tax_inside="Impuestos incluidos",
        total="Total",
        paid="Pagado",
        tax_rate="Tipo",
        tax_base="Base imponible",
        page="Página {page} de {pages}",
        shipping="Envío",
        fee="Recargo",
        duty="Aranceles",
        tip="Propina",
        rounding="Redondeo",
        credit="Crédito",
    ),
    "pt-BR": Labels(
        invoice="Fatura",
        issued_on="Data da fatura",
        order="Pedido",
        ordered_on="Data do pedido",
        paid_on="Data do pagamento",
        payment_method="Forma de pagamento",
        purchase_number="Sua referência",
        buyer="Cobrança",
        delivery="Entrega",
        tax_id="CNPJ/CPF",
        item="Descrição",
        sku="Cód.",
        quantity="Quantidade",
        unit_price="Preço unitário",
        discount="Desconto",
        tax="Imposto",
        amount="Valor",
        prices_include_tax="Preços em {currency}, com impostos incluídos.",
        prices_exclude_tax="Preços em {currency}, sem impostos.",
        subtotal="Subtotal",
        discount_taken_off="Desconto já aplicado",
        tax_total="Impostos",
        tax_inside="Impostos incluídos",
        total="Total",
        paid="Pago",
        tax_rate="Alíquota",
        tax_base="Base de cálculo",
        page="Página {page} de {pages}",
        shipping="Frete",
        fee="Taxa",
        duty="Imposto de importação",
        tip="Gorjeta",
        rounding="Arredondamento",
        credit="Crédito",
    ),
    "el": Labels(
        invoice="Τιμολόγιο",
        issued_on="Ημερομηνία έκδοσης",
        order="Παραγγελία",
        ordered_on="Ημερομηνία παραγγελίας",
        paid_on="Ημερομηνία πληρωμής",
        payment_method="Τρόπος πληρωμής",
        purchase_number="Δικός σας αριθμός",
        buyer="Στοιχεία πελάτη",
        delivery="Τόπος παράδοσης",
        tax_id="ΑΦΜ",
        item="Περιγραφή",
        sku="Κωδ.",
        quantity="Ποσότητα",
        unit_price="Τιμή μονάδας",
        discount="Έκπτωση",
        tax="Φόρος",
        amount="Ποσό",
        prices_include_tax="Τιμές σε {currency}, με φόρο.",
        prices_exclude_tax="Τιμές σε {currency}, χωρίς φόρο.",
        subtotal="Υποσύνολο",
        discount_taken_off="Έκπτωση που έχει αφαιρεθεί",
        tax_total="Φόρος",
        tax_inside="Φόρος που περιλαμβάνεται",
        total="Σύνολο",
        paid="Εξοφλήθηκε",
        tax_rate="Συντελεστής",
        tax_base="Καθαρή αξία",
        page="Σελίδα {page} από {pages}",
        shipping="Μεταφορικά",
        fee="Επιβάρυνση",
        duty="Δασμοί",
        tip="Φιλοδώρημα",
        rounding="Στρογγυλοποίηση",
        credit="Πίστωση",
    ),
    "ar": Labels(
        invoice="فاتورة",
        issued_on="تاريخ الفاتورة",
        order="الطلب",
        ordered_on="تاريخ الطلب",
        paid_on="تاريخ الدفع",
        payment_method="طريقة الدفع",
        purchase_number="مرجعكم",
        buyer="فاتورة إلى",
        delivery="التسليم إلى",
        tax_id="الرقم الضريبي",
        item="الوصف",
        sku="رمز الصنف",
        quantity="الكمية",
        unit_price="سعر الوحدة",
        discount="الخصم",
        tax="الضريبة",
        amount="المبلغ",
        prices_include_tax="جميع الأسعار بعملة {currency} وتشمل الضريبة.",
        prices_exclude_tax="جميع الأسعار بعملة {currency} ولا تشمل الضريبة.",
        subtotal="المجموع الفرعي",
        discount_taken_off="خصم محسوب ضمن الأسعار",
        tax_total="الضريبة",
        tax_inside="الضريبة المشمولة",
        total="الإجمالي",
        paid="المدفوع",
        tax_rate="النسبة",
        tax_base="المبلغ الصافي",
        page="صفحة {page} من {pages}",
        shipping="الشحن",
        fee="رسوم",
        duty="رسوم جمركية",
        tip="إكرامية",
        rounding="تقريب",
        credit="رصيد",
    ),
}


def labels_for(locale: str) -> Labels:
    """The words for one of our languages. Raises LanguageNotPrinted rather than answering in another language."""
    if locale not in LABELS:
        raise LanguageNotPrinted(f"Documents are not printed in {locale!r}; there are {', '.join(LABELS)}.")
    return LABELS[locale]
