"""The road, one use case a file.

    process_inbox    recorded deliveries   -> orders, timelines, intents, wanted documents
    look_again       hints                 -> the platform's answer -> the same road
    issue_documents  wanted documents      -> numbered, rendered, kept
    send_outbox      intents               -> messages handed over, with receipts
    recover          what a dead worker held -> due again, or up for review

Each has `run()`, which does what is due and returns how much that was.
"""
