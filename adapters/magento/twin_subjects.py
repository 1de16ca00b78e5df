"""What a queued event is about, read when its turn has come."""

from adapters.magento.twin_documents import order_document
from adapters.magento.twin_papers import creditmemo_document, invoice_document, shipment_document
from adapters.magento.twin_sales import Sales


def describe(sales: Sales, event: str, about: int) -> object | None:
    """The REST document an event's message leads to, as it is now; None when there is none (any more)."""
    if event.startswith("sales.order."):
        order = sales.orders.rows().get(about)
        return order and order_document(order)
    if event.startswith("sales.shipment."):
        shipment = sales.shipments.rows().get(about)
        return shipment and shipment_document(shipment, sales.order(shipment.order_id))
    if event.startswith("sales.invoice."):
        invoice = sales.invoices.rows().get(about)
        return invoice and invoice_document(invoice, sales.order(invoice.order_id))
    memo = sales.creditmemos.rows().get(about)
    return memo and creditmemo_document(memo, sales.order(memo.order_id))
