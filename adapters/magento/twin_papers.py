"""Shipments, invoices and credit memos as Magento's REST service writes them."""

from adapters.magento.twin_amounts import line_amounts, totals_of
from adapters.magento.twin_documents import BASE_CURRENCY, Document, note_document, number, put
from adapters.magento.twin_rows import RATE_ONE, Invoice, Order, Pair, Shipment, Track


def shipment_document(shipment: Shipment, order: Order) -> Document:
    """As `GET /V1/shipment/:id` gives it."""
    document: Document = {
        "billing_address_id": 2 * order.entity_id,
        "created_at": shipment.created_at,
        "entity_id": shipment.entity_id,
        "increment_id": shipment.increment_id,
        "order_id": shipment.order_id,
        "packages": [],
        "shipping_address_id": 2 * order.entity_id - 1,
        "store_id": shipment.store_id,
        "total_qty": sum(count for _, count in shipment.items),
        "updated_at": shipment.updated_at,
        "items": [_shipment_item(shipment, order, place) for place in range(len(shipment.items))],
        "tracks": [track_document(track, shipment) for track in shipment.tracks],
        "comments": [note_document(note, shipment.entity_id) for note in shipment.notes],
        "extension_attributes": {"source_code": "default"},
    }
    if order.buyer.customer_id:
        document["customer_id"] = order.buyer.customer_id
    return document | ({"email_sent": shipment.email_sent} if shipment.email_sent else {})


def track_document(track: Track, shipment: Shipment) -> Document:
    """As in a shipment, and as the answer to adding it."""
    return {
        "order_id": shipment.order_id,
        "created_at": track.created_at,
        "entity_id": track.entity_id,
        "parent_id": shipment.entity_id,
        "updated_at": track.created_at,
        "weight": track.weight,
        "qty": track.qty,
        "description": track.description,
        "track_number": track.number,
        "title": track.title,
        "carrier_code": track.carrier_code,
    }


def invoice_document(invoice: Invoice, order: Order) -> Document:
    """As `GET /V1/invoices/:id` gives it."""
    document = _paper(invoice, order)
    document["can_void_flag"] = 0
    document["total_qty"] = sum(count for _, count in invoice.items)
    return document


def creditmemo_document(memo: Invoice, order: Order) -> Document:
    """As `GET /V1/creditmemo/:id` gives it."""
    document = _paper(memo, order)
    for name, pair in (
        ("adjustment", memo.adjustment),
        ("adjustment_negative", Pair()),
        ("adjustment_positive", memo.adjustment),
    ):
        put(document, name, pair)
    document["creditmemo_status"] = None
    if memo.of_invoice:
        document["invoice_id"] = memo.of_invoice
    return document


def _paper(paper: Invoice, order: Order) -> Document:
    sums = totals_of(order, paper.items, paper.shipping)
    document: Document = {
        "base_currency_code": BASE_CURRENCY,
        "base_to_global_rate": 1,
        "base_to_order_rate": order.store.rate / RATE_ONE if order.store.rate != RATE_ONE else 1,
        "billing_address_id": 2 * order.entity_id,
        "created_at": paper.created_at,
        "entity_id": paper.entity_id,
        "global_currency_code": BASE_CURRENCY,
        "increment_id": paper.increment_id,
        "order_currency_code": order.store.currency,
        "order_id": paper.order_id,
        "shipping_address_id": 2 * order.entity_id - 1,
        "state": paper.state,
        "store_currency_code": BASE_CURRENCY,
        "store_id": paper.store_id,
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
        "updated_at": paper.updated_at,
    }
    for name, pair in {
        "discount_amount": -sums.discount,
        "discount_tax_compensation_amount": Pair(),
        "grand_total": paper.grand,
        "shipping_amount": sums.shipping,
        "shipping_incl_tax": sums.shipping + sums.shipping_tax,
        "shipping_tax_amount": sums.shipping_tax,
        "subtotal": sums.subtotal,
        "subtotal_incl_tax": sums.subtotal_incl,
        "tax_amount": sums.tax,
    }.items():
        put(document, name, pair)
    document["items"] = [_paper_item(paper, order, place) for place in range(len(paper.items))]
    document["comments"] = [note_document(note, paper.entity_id) for note in paper.notes]
    return document | ({"email_sent": paper.email_sent} if paper.email_sent else {})


def _shipment_item(shipment: Shipment, order: Order, place: int) -> Document:
    item_id, count = shipment.items[place]
    line = next(one for one in order.lines if one.item_id == item_id)
    return {
        "entity_id": 10 * shipment.entity_id + place,
        "name": line.product.name,
        "parent_id": shipment.entity_id,
        "price": number(order.store.pair(line.product.cents).own),
        "product_id": line.product.product_id,
        "sku": line.product.sku,
        "weight": line.product.weight,
        "order_item_id": item_id,
        "qty": count,
    }


def _paper_item(paper: Invoice, order: Order, place: int) -> Document:
    item_id, count = paper.items[place]
    line = next(one for one in order.lines if one.item_id == item_id)
    amounts = line_amounts(line, order.store, count)
    document: Document = {
        "base_cost": None,
        "entity_id": 10 * paper.entity_id + place,
        "name": line.product.name,
        "order_item_id": item_id,
        "parent_id": paper.entity_id,
        "product_id": line.product.product_id,
        "qty": count,
        "sku": line.product.sku,
    }
    put(document, "price", amounts.price)
    if line.counts:
        put(document, "discount_amount", amounts.discount)
        put(document, "price_incl_tax", amounts.price_incl)
        put(document, "row_total", amounts.row)
        put(document, "row_total_incl_tax", amounts.row_incl)
        put(document, "tax_amount", amounts.tax)
    return document
