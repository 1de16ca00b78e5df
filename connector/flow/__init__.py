"""The road, one use case a file.

    process_inbox    recorded deliveries   -> orders, timelines, intents, wanted documents
    look_again       hints                 -> the platform's answer -> the same road
    issue_documents  wanted documents      -> numbered, rendered, kept
    send_outbox      intents               -> messages handed over, with receipts
    write_back       intents               -> the shop's own platform
    recover          what a dead worker held -> due again, or up for review

Beside it, what asks platforms by itself (`stores` opens them, `by_shop` keeps one shop's trouble from the others):

    tend_connections    offers, new and broken connections -> prove_offers, look_after: proven, subscribed, looked after
    reconcile           sweeps that are due                -> what changed, recorded as if it had been sent
    watch_parcels       parcels without a number           -> the parcel, recorded likewise
    renew_credentials   credentials nobody uses            -> renewed in time
    disconnect          a shop that leaves                 -> nothing of it is asked, kept or told any more

Each has `run()`, which does what is due and returns how much that was.
"""
