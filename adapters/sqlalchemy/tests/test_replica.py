"""Reports are read from a replica when that is asked for; commands never go there."""

from pathlib import Path

import pytest
from tests.servers import PrivatePostgres, connect_postgresql
from tests.servers.fixtures import opened_or_skip

from clientledger import Book, InvalidValue, Money, NotAllowed, StoreError, open_book


def owed(book: Book) -> list[Money]:
    return [debtor.account.owed for debtor in book.insights.debtors()]


def nothing_is_written(reading: Book) -> None:
    """Every way to write is refused, and reading goes on."""
    [client] = reading.clients.find()
    for write in (
        lambda: reading.clients.add("Zoë"),
        lambda: reading.ledger.record_sale(client, "1.00 EUR"),
        lambda: reading.run(lambda book: book.clients.add("Zoë")),
        lambda: reading.as_actor("ann").tasks.add("x"),
        lambda: reading.change_settings(region="DE"),
    ):
        with pytest.raises(NotAllowed, match="reading only"):
            write()
    with pytest.raises(NotAllowed), reading.atomic():
        pass
    assert len(reading.clients.find()) == 1


def test_reports_come_from_a_streaming_replica_of_postgresql() -> None:
    with opened_or_skip(PrivatePostgres()) as primary, primary.replica() as replica:
        with open_book(primary.url(), actor="olena") as book:
            client = book.clients.add("Acme")
            book.ledger.record_sale(client, "9.00 EUR")
            assert book.changes()
        replica.wait_caught_up()
        with open_book(primary.url(), actor="olena", replica=replica.url()) as book:
            reports = book.reading(consistency="eventual")
            assert owed(reports) == [Money("9.00", "EUR")]
            assert reports.card(client) == book.card(client)
            assert [e.cursor for e in reports.changes()] == [e.cursor for e in book.changes()]
            assert reports.verify().ok
            nothing_is_written(reports)
            replica.stop()  # commands, and what is read strongly, do not need it
            book.ledger.record_sale(client, "1.00 EUR")
            assert owed(book) == owed(book.reading()) == [Money("10.00", "EUR")]
            with pytest.raises(StoreError):
                owed(reports)
            replica.start()
            replica.wait_caught_up()
            assert owed(reports) == [Money("10.00", "EUR")]


def test_a_replica_that_lags_shows_the_past_and_the_book_the_present() -> None:
    with opened_or_skip(PrivatePostgres()) as primary, primary.replica() as replica:
        with open_book(primary.url(), actor="olena") as book:
            book.clients.add("Acme")
        replica.wait_caught_up()
        with open_book(primary.url(), actor="olena", replica=replica.url()) as book:
            [client] = book.clients.find()
            pause(replica, "SELECT pg_wal_replay_pause()")
            book.ledger.record_sale(client, "9.00 EUR")
            assert owed(book) == [Money("9.00", "EUR")]
            assert owed(book.reading(consistency="eventual")) == []
            pause(replica, "SELECT pg_wal_replay_resume()")
            replica.wait_caught_up()
            assert owed(book.reading(consistency="eventual")) == [Money("9.00", "EUR")]


def pause(replica: PrivatePostgres, order: str) -> None:
    with connect_postgresql(replica.url(), autocommit=True) as link:
        link.execute(order.encode())


def test_a_replica_takes_no_commands_even_when_it_is_opened_as_the_book() -> None:
    with opened_or_skip(PrivatePostgres()) as primary, primary.replica() as replica:
        with open_book(primary.url(), actor="olena") as book:
            client = book.clients.add("Acme")
        replica.wait_caught_up()
        with (
            open_book(replica.url(), actor="olena") as book,
            pytest.raises(NotAllowed, match="only reads"),
        ):
            book.ledger.record_sale(client, "1.00 EUR")


def test_another_node_of_a_cluster_shows_what_was_just_written(
    galera_urls: tuple[str, str, str],
) -> None:
    one, two, _ = galera_urls
    with open_book(one, actor="olena", replica=two) as book:
        client = book.clients.add("Acme")
        reports = book.reading(consistency="eventual")
        for n in range(1, 101):
            book.ledger.record_sale(client, "1.00 EUR")
            assert owed(reports) == [Money(f"{n}.00", "EUR")]
        nothing_is_written(reports)


@pytest.mark.parametrize("url", ["memory:", "sqlite"])
def test_without_a_replica_reading_is_of_the_book_itself(url: str, tmp_path: Path) -> None:
    with open_book(url if url == "memory:" else f"sqlite:///{tmp_path}/b.db", actor="o") as book:
        client = book.clients.add("Acme")
        book.ledger.record_sale(client, "9.00 EUR")
        for consistency in ("strong", "eventual"):
            reading = book.reading(consistency=consistency)
            assert owed(reading) == [Money("9.00", "EUR")]
            nothing_is_written(reading)
        with pytest.raises(InvalidValue, match="consistency"):
            book.reading(consistency="weak")
