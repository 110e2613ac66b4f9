"""The words of other systems for our events, refusals, states and features."""

import re
from collections.abc import Iterable, Mapping

from tests.replay.fields import spelled

from clientledger import (
    ClientArchived,
    ClientLedgerError,
    CreditLimitExceeded,
    Duplicate,
    InvalidValue,
    KeyReused,
    NotAllowed,
    NotFound,
    NotLinked,
    OverAllocated,
    PeriodClosed,
    Stale,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)

EVENTS: Mapping[str, str] = {
    "sale": "sale invoice bill charge external_charge fee late_fee surcharge debit_note debit_memo "
    "interest finance_charge dunning_fee proforma_invoiced pos order_invoiced",
    "payment": "payment receipt prepayment advance advance_payment deposit down_payment payin "
    "pay paid payment_in receive receive_payment collection remittance overpayment",
    "credit note": "credit_note credit_memo credit return sale_return adjustment item_adjustment "
    "invoice_adjustment credit_adjustment account_credit goodwill rebate allowance discount "
    "cash_discount settlement_discount early_payment_discount withholding withholding_tax "
    "journal journal_voucher",
    "refund": "refund payout pay_out repayment money_back cash_refund payment_refund payment_out",
    "write-off": "write_off writeoff bad_debt debt_write_off write_off_debt uncollectible forgive "
    "small_balance_write_off abandon abandonment",
    "opening balance": "opening_balance opening opening_entry opening_debit opening_credit "
    "opening_prepayment opening_debt balance_forward brought_forward",
    "void": "void voiding cancel cancellation cancelled reversal reverse delete deletion deleted "
    "bounce bounced bounced_payment chargeback dishonour dishonor failed_payment return_payment "
    "payment_failed payment_returned storno undo annul nsf remove",
    "restore": "restore restoration undelete unvoid reinstate",
    "allocate": "allocation allocate apply application applied apply_credit apply_prepayment "
    "apply_payment reconcile reconciliation match matching assignment assign settle settlement "
    "offset set_off netting use_credit",
    "release": "release unallocate unallocation unreconcile unreconciliation unapply unmatch "
    "deallocate deallocation unassign unlink undo_allocation undo_reconcile remove_allocation",
    "exchange": "exchange currency_exchange conversion convert currency_conversion fx fx_exchange",
    "correct": "correction correct amend amendment amended update edit change modify replace "
    "replacement revise revision",
    "close period": "period_close close_period closing period_closing lock lock_period period_lock "
    "closed_period close_books set_lock_date lock_date freeze closing_voucher fiscal_year_close",
    "reopen period": "reopen reopen_period period_reopen unlock unlock_period open_period unfreeze",
    "credit limit": "credit_limit set_credit_limit credit_limit_set limit set_limit",
    "payment terms": "payment_terms terms set_payment_terms payment_term set_terms",
    "client": "client customer create_client client_created customer_created party partner account",
    "archive": "archive deactivate deactivation archive_client client_archived disable "
    "disable_client deactivate_client freeze_client block block_client archive_customer inactivate",
    "unarchive": "unarchive restore_client reactivate activate unarchive_client enable_client "
    "reactivate_client unblock unblock_client restore_customer",
    "setting": "setting settings set_setting change_setting change_settings configure config "
    "configuration preference",
    "check": "check checks assert assertion expect expectation snapshot balance_check",
    "pass": "noop no_op wait time_passes advance_clock comment note clock",
}
"""Our events by all the names that others have for them."""

_BY_NAME = {name: event for event, names in EVENTS.items() for name in names.split()}
_BEFORE = re.compile(
    r"^(?:record|create|add|new|make|post|register|issue|do|customer|client|sales|sale|partial|full"
    r"|manual|auto|invoice|payment|credit_note|deposit|advance|ar)_"
)
_AFTER = re.compile(
    r"_(?:entry|event|document|record|created|posted|made|issued|received|of_payment|payment"
    r"|invoice|sale|client|customer|credit_note|transaction)$"
)


def event_of(type: object) -> str | None:
    """Our event of a type as told, with or without what others put before and after it."""
    names = [spelled(type)]
    for _ in range(4):
        for name in names:
            if name in _BY_NAME:
                return _BY_NAME[name]
        names = [shorter.sub("", name, count=1) for name in names for shorter in (_AFTER, _BEFORE)]
    return None


# ------------------------------------------------------------ refusals
Refusals = tuple[type[ClientLedgerError], ...]

# The first whose words are found in the name counts: what says more comes first.
_ERRORS: tuple[tuple[Refusals, str], ...] = (
    (
        (CreditLimitExceeded,),
        r"credit_?limit limit_exceeded over_limit exceeds?_(the_)?limit limit_reached",
    ),
    ((KeyReused, Duplicate), r"idempoten key_reuse"),
    ((Duplicate,), r"duplicat taken uniqu already_exists already_used"),
    (
        (NotLinked,),
        (
            r"not_(allocated|linked|reconciled|applied|matched) no_allocation unlinked"
            r" nothing_(to_)?(allocated|linked|release|unallocate|unreconcile)"
        ),
    ),
    ((OverAllocated, Voided), r"(invoice|sale|document|item)_(is_)?closed"),
    ((ClientArchived,), r"(account|client|customer|party)_(is_)?(closed|locked|frozen)"),
    ((PeriodClosed,), r"clos period lock frozen fiscal"),
    ((InvalidValue,), r"before too_early earlier wrong_sign"),
    ((Voided,), r"void cancell?ed already_cancel double_cancel reversed already_bounced deleted"),
    ((ClientArchived,), r"archiv inactive disabled deactivat blocked"),
    (
        (InvalidValue, WrongCurrency),
        r"(unknown|invalid|no_such|unsupported|missing|malformed)_currency",
    ),
    ((WrongCurrency,), r"currenc"),
    (
        (OverAllocated,),
        (
            r"over_?(alloc|appl|pay|paid|refund|credit|settle|write) exceed excess insufficient"
            r" too_much more_than above greater not_enough nothing_(open|free|to)"
            r" no_(free|open|unallocated)"
            r" (fully|already)_(paid|settled|allocated|applied|refunded|reconciled)"
        ),
    ),
    (
        (WrongDirection,),
        (
            r"direction wrong_(side|kind|type) side_mismatch same_side debit_to_debit"
            r" credit_to_credit not_a_(debit|credit)"
        ),
    ),
    ((InvalidValue,), r"instal schedule terms"),
    ((NotFound, InvalidValue), r"unknown no_such missing not_found non_?existent not_exist"),
    ((WrongClient,), r"client customer party partner"),
    ((InvalidValue, OverAllocated), r"too_large"),
    (
        (InvalidValue,),
        (
            r"negative positive zero malformed precision decimal nan infinit bad_value empty"
            r" invalid_(amount|value|number|date|line) out_of_range (line|total|sum)s?_mismatch"
            r" amount_mismatch"
        ),
    ),
    ((Stale,), r"stale concurren conflict version"),
    ((NotAllowed,), r"not_allowed forbidden permission read_only"),
)


def refusals_of(error: object) -> Refusals:
    """The classes that an error of a case means; empty where its name says nothing to us."""
    name = spelled(error)
    for classes, words in _ERRORS:
        if any(re.search(word, name) for word in words.split()):
            return classes
    return ()


# ------------------------------------------------------------ states
STATES: Mapping[str, str] = {
    "paid": "paid settled fully_paid complete completed closed cleared reconciled in_payment "
    "written_off credited fully_credited fully_settled",
    "unpaid": "unpaid open outstanding sent submitted not_paid issued posted approved viewed "
    "awaiting_payment pending confirmed due",
    "partly paid": "partly_paid partially_paid partial part_paid partially_settled partpaid",
    "overdue": "overdue past_due late unpaid_overdue",
    "voided": "voided void cancelled canceled reversed deleted bounced failed chargeback "
    "charged_back annulled",
    "free": "free unallocated unapplied unreconciled available not_allocated unused on_account "
    "partly_used partially_used partly_allocated partially_allocated partially_applied "
    "partly_applied",
    "used": "used allocated applied fully_allocated fully_applied exhausted fully_used consumed "
    "fully_refunded refunded",
}
"""What a document may be, by all the names that others have for it."""

_STATE = {name: state for state, names in STATES.items() for name in names.split()}


def state_of(told: object) -> str | None:
    return _STATE.get(spelled(told))


# ------------------------------------------------------------ features
_LACKS = re.compile(
    r"(?:^|_)(?:gain|loss|revaluation|interest|withhold|cross_(client|customer|party)"
    r"|multi_(client|party)|inter_?company|parent|hierarch|subscription|recurring|inventory|stock"
    r"|general_ledger|journal|restor|negative|zero|cost_cent|dimension|hold|retention|deferred"
    r"|revenue|loyalt|voucher|gateway|auto_?pay|dunning|late_fee|commission|budget|payable|supplier"
    r"|vendor)"
)
_HAS = re.compile(
    r"sale|invoice|bill|payment|receipt|prepay|deposit|advance|credit|return|refund|payout|write"
    r"|bad_debt|opening|void|cancel|revers|bounce|chargeback|alloc|reconcil|match|appl|release"
    r"|exchange|currenc|fx|instal|term|due|ag(e)?ing|as_of|statement|period|clos|lock|limit|number"
    r"|duplicat|correct|amend|update|archiv|inactive|line|discount|tax|partial|over|balance|error"
    r"|reject|idempot|open_item|decimal|minor_unit|back_?dat|date|aged|client|settle|adjust|delet"
)


def lacking(features: Iterable[object]) -> list[str]:
    """Which features that a case requires are none of the ledger's."""
    names = [(str(one), spelled(one)) for one in features]
    return [told for told, name in names if _LACKS.search(name) or not _HAS.search(name)]


# ------------------------------------------------------------ expectations
FIGURES: Mapping[str, str] = {
    "balance": "balance balances net_balance",
    "owed": "owed debt debts receivable receivables gross_balance open_debits",
    "prepaid": "prepaid prepayment prepayments credit_balance credit_balances available_credit "
    "unapplied_credit unused_credit open_credits",
    "overdue": "overdue past_due overdue_amount",
}
KEYS: Mapping[str, str] = {
    "open_items": "open_items open_debits_by_ref open open_invoices outstanding_items residuals",
    "unallocated": "unallocated unapplied free free_credits unused unreconciled",
    "outstanding": "outstanding",
    "totals": "totals total grand_totals",
    "amounts": "amounts document_amounts document_totals invoice_totals",
    "paid": "paid paid_amounts allocated applied allocated_amounts settled_amounts applied_amounts",
    "aging": "aging ageing agings ageings aged aged_receivable aging_report",
    "statement": "statement statements account_statement",
    "status": "status statuses states state payment_status",
    "due_dates": "due_dates due_date dues due",
    "instalments": "instalments installments payment_schedule schedule",
    "allocations": "allocations applications links reconciliations",
    "accounts": "accounts account",
    "voided": "voided voids cancelled",
    "debtors": "debtors",
    "closed_through": "closed_through lock_date closed_until",
    "refusals": "error errors refusal refused error_message error_code peer_error",
    "silent": "notes note comment comments text description as_of",
    "at": "expect_at at checks check timeline snapshots by_date history over_time",
}
_EXPECTED = {
    name: key
    for source in (KEYS, FIGURES)
    for key, names in source.items()
    for name in names.split()
}


def expected_of(told: object) -> str | None:
    """Our expectation of a name as told, or None."""
    return _EXPECTED.get(spelled(told))
