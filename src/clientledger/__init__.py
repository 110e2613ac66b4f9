"""The client base that knows the money: one card for every client.

Begin with `open_book`, which gives a `Book`.
"""

from clientledger.book import (
    Book,
    open_book,
)
from clientledger.domain.accounts import (
    Account,
    AgeingRow,
    Bucket,
    EntryState,
    account_of,
    accounts,
    ageing,
    buckets,
    entry_state,
)
from clientledger.domain.agreements import (
    Agreement,
)
from clientledger.domain.clients import (
    Client,
)
from clientledger.domain.contact_points import (
    Address,
    Contact,
    Email,
    Phone,
)
from clientledger.domain.entries import (
    Allocation,
    Entry,
    EntryLine,
    Instalment,
    Line,
    Release,
)
from clientledger.domain.events import (
    Event,
)
from clientledger.domain.explaining import (
    Explanation,
    Part,
)
from clientledger.domain.insights import (
    BestClient,
    Bought,
    Card,
    Debtor,
    Dormant,
    Purchases,
    Rhythm,
    bought,
    dormant,
    purchases,
    rhythms,
    usual_interval,
)
from clientledger.domain.interactions import (
    Interaction,
)
from clientledger.domain.journal import (
    Balance,
    Journal,
    OpenItem,
    Origin,
    PurchaseDay,
    balances,
    open_items,
    purchase_days,
)
from clientledger.domain.money import (
    Currency,
    Money,
)
from clientledger.domain.pages import (
    Page,
)
from clientledger.domain.posting import (
    Posting,
)
from clientledger.domain.rates import (
    ConvertedAccount,
    ConvertedTotal,
    ExchangeDifference,
    ExchangeRate,
)
from clientledger.domain.seals import (
    Anchor,
    read_anchor,
)
from clientledger.domain.settings import (
    Settings,
)
from clientledger.domain.soundness import (
    Problem,
)
from clientledger.domain.statements import (
    Statement,
    StatementRow,
    statement,
)
from clientledger.domain.tasks import (
    Task,
)
from clientledger.domain.team import (
    HandOver,
    Member,
)
from clientledger.domain.terms import (
    PaymentTerms,
    TermsPart,
    read_terms,
)
from clientledger.domain.timeline import (
    TimelineItem,
)
from clientledger.domain.upserted import (
    Upserted,
)
from clientledger.errors import (
    Busy,
    ClientArchived,
    ClientLedgerError,
    Conflict,
    CreditLimitExceeded,
    DeliveryError,
    Duplicate,
    HostTransactionAborted,
    InvalidValue,
    KeyReused,
    LedgerError,
    NotAllowed,
    NotFound,
    NotLinked,
    NumberTaken,
    OutcomeUnknown,
    OverAllocated,
    PeriodClosed,
    PluginError,
    Stale,
    StoreError,
    Unavailable,
    Voided,
    WrongClient,
    WrongCurrency,
    WrongDirection,
)
from clientledger.hookspecs import (
    Exporter,
    RegisterExporter,
    RegisterStore,
    RegisterUpgrader,
    StoreFactory,
    Upgrader,
    hookimpl,
)
from clientledger.memory import (
    MemoryStore,
)
from clientledger.services.audit import (
    Report,
)
from clientledger.services.desk import (
    Outcome,
)
from clientledger.services.portable import (
    Dump,
)
from clientledger.services.repairing import (
    Repair,
)

__all__ = [
    "Account",
    "Address",
    "AgeingRow",
    "Agreement",
    "Allocation",
    "Anchor",
    "Balance",
    "BestClient",
    "Book",
    "Bought",
    "Bucket",
    "Busy",
    "Card",
    "Client",
    "ClientArchived",
    "ClientLedgerError",
    "Conflict",
    "Contact",
    "ConvertedAccount",
    "ConvertedTotal",
    "CreditLimitExceeded",
    "Currency",
    "Debtor",
    "DeliveryError",
    "Dormant",
    "Dump",
    "Duplicate",
    "Email",
    "Entry",
    "EntryLine",
    "EntryState",
    "Event",
    "ExchangeDifference",
    "ExchangeRate",
    "Explanation",
    "Exporter",
    "HandOver",
    "HostTransactionAborted",
    "Instalment",
    "Interaction",
    "InvalidValue",
    "Journal",
    "KeyReused",
    "LedgerError",
    "Line",
    "Member",
    "MemoryStore",
    "Money",
    "NotAllowed",
    "NotFound",
    "NotLinked",
    "NumberTaken",
    "OpenItem",
    "Origin",
    "Outcome",
    "OutcomeUnknown",
    "OverAllocated",
    "Page",
    "Part",
    "PaymentTerms",
    "PeriodClosed",
    "Phone",
    "PluginError",
    "Posting",
    "Problem",
    "PurchaseDay",
    "Purchases",
    "RegisterExporter",
    "RegisterStore",
    "RegisterUpgrader",
    "Release",
    "Repair",
    "Report",
    "Rhythm",
    "Settings",
    "Stale",
    "Statement",
    "StatementRow",
    "StoreError",
    "StoreFactory",
    "Task",
    "TermsPart",
    "TimelineItem",
    "Unavailable",
    "Upgrader",
    "Upserted",
    "Voided",
    "WrongClient",
    "WrongCurrency",
    "WrongDirection",
    "account_of",
    "accounts",
    "ageing",
    "balances",
    "bought",
    "buckets",
    "dormant",
    "entry_state",
    "hookimpl",
    "open_book",
    "open_items",
    "purchase_days",
    "purchases",
    "read_anchor",
    "read_terms",
    "rhythms",
    "statement",
    "usual_interval",
]
