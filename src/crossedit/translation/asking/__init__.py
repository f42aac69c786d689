"""How answers are got of a model: by chat completions or the Batch API, at a pace, within a budget.

live, batches      each drives questions to their end; client and batch_api speak with the server
pace               no more in a minute than the server allows
prices, estimate   what answers cost, and will cost
ledger             which batches are on their way
"""
