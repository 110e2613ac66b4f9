"""Random histories of the ledger, by idea: the desk, the commands, the nonsense, the checks."""
