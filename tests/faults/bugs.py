"""The bugs of the kill matrix: each one small change that somebody might make, and who must notice.

A guarantee is one of the reliability programme (G1 to G36), or a promise of the design (P1 to P8);
S9 is what the design says of scale.
"""

import attrs

__all__ = ["BUGS", "Bug", "Edit"]


@attrs.frozen
class Edit:
    """A change of a file: the old text is in it exactly once."""

    file: str
    old: str
    new: str


@attrs.frozen(kw_only=True)
class Bug:
    """A bug to plant.

    Attributes:
        guarantee: what it breaks.
        edits: what is changed, one after the other.
        tests: those that must fail, each of them.
        harmless: why it breaks nothing; then the tests must pass.
        hangs: whether the tests may also have to be stopped, because of it.
    """

    name: str
    guarantee: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]
    harmless: str = ""
    hangs: bool = False


def _bug(name: str, guarantee: str, edits: tuple[Edit, ...], *tests: str) -> Bug:
    return Bug(name=name, guarantee=guarantee, edits=edits, tests=tests)


def _one(file: str, old: str, new: str) -> tuple[Edit, ...]:
    return (Edit(file, old, new),)


SRC = "adapters/sqlalchemy/src/clientledger_sqlalchemy"
SQLITE = f"{SRC}/engines/sqlite.py"
POSTGRESQL = f"{SRC}/engines/postgresql.py"
MARIADB = f"{SRC}/engines/mariadb.py"
SERVER = f"{SRC}/engines/server.py"
STORE = f"{SRC}/store.py"
CHANNEL = f"{SRC}/channel.py"
UNIT = f"{SRC}/unit.py"
WRITES = f"{SRC}/writes.py"
SELECTS = f"{SRC}/selects.py"
COLUMNS = f"{SRC}/columns.py"
READING = f"{SRC}/reading.py"
SCHEMA = f"{SRC}/schema.py"
GUARDING = f"{SRC}/guarding.py"
RECORDS = f"{SRC}/record_tables.py"
VERSION_2 = f"{SRC}/migrations/versions/0002_pairs_and_business_dates.py"
VERSION_3 = f"{SRC}/migrations/versions/0003_editions_and_servers.py"
CORE = "src/clientledger"
SERVICES = f"{CORE}/services"
DESK = f"{SERVICES}/desk.py"
WORK = f"{SERVICES}/work.py"
SEALING = f"{SERVICES}/sealing.py"
AUDIT = f"{SERVICES}/audit.py"
REPAIRING = f"{SERVICES}/repairing.py"
DUMPING = f"{SERVICES}/dumping.py"
LOADING = f"{SERVICES}/loading.py"
SEALS = f"{CORE}/domain/seals.py"

TESTS = "adapters/sqlalchemy/tests"
FINDINGS = f"{TESTS}/test_findings.py::test"
FAILING = f"{TESTS}/test_failing_driver.py::test"
FILES = f"{TESTS}/test_files.py::test"
UNITS = f"{TESTS}/test_units.py::test"
RESOURCES = f"{TESTS}/test_resources.py::test"
BACKUP = f"{TESTS}/test_backup.py::test"
MIGRATIONS = f"{TESTS}/test_migrations.py::test"
CHAIN = f"{TESTS}/test_chain.py::test"
BAD_DATA = f"{TESTS}/test_bad_data.py::test"
ANSWERS = f"{TESTS}/test_answers.py::test"
TABLES = f"{TESTS}/test_schema.py::test"
REPLICA = f"{TESTS}/test_replica.py::test"
SPLIT = f"{TESTS}/test_partitions.py::test"
CONTRACT = f"{TESTS}/test_contract.py::Test"
ON_SQLITE, ON_POSTGRESQL, ON_MARIADB = (
    f"{CONTRACT}{kind}::test" for kind in ("SqliteFile", "Postgresql", "Mariadb")
)
INTERLEAVE = "tests/faults/test_interleave.py::test"
REPLIES = "tests/faults/test_replies.py::test"
POWER = "tests/faults/test_power.py::test"
CLUSTER = "tests/faults/test_cluster.py::test"
MEMORY = "tests/test_store_memory.py::TestMemoryStore::test"
REPEATS = "tests/test_ledger_repeats.py::test"
PORTABLE = "tests/test_portable.py::test"
REFUSALS = "tests/test_portable_refusals.py::test"
BOOK = "tests/test_book.py::test"

LOST_REPLY = f"{FAILING}_a_lost_reply_to_a_commit_is_settled_and_nothing_is_done_twice"
PASSES = f"{FAILING}_what_passes_is_repeated_whole"
GOOD_SERVER = f"{FINDINGS}_a_good_server_is_found_good"
GOOD_FILE = f"{FINDINGS}_a_good_database_is_found_good"
SNAPSHOT = "_a_snapshot_does_not_see_what_is_committed_later"
MEMBER_LEFT = f"{INTERLEAVE}_a_member_who_has_left_is_given_nothing"

# ------------------------------------------------------------ what a file is set to
_FILES = (
    _bug(
        "SQLite: synchronous NORMAL",
        "G5",
        _one(SQLITE, "synchronous = FULL; P", "synchronous = NORMAL; P"),
        GOOD_FILE,
    ),
    _bug(
        "SQLite: synchronous NORMAL, and the doctor does not mind",
        "G5",
        (
            Edit(SQLITE, "synchronous = FULL; P", "synchronous = NORMAL; P"),
            Edit(SQLITE, 'pragma("synchronous") < 2', 'pragma("synchronous") < 1'),
        ),
        f"{POWER}_the_trace_gives_the_very_files_that_the_processes_left",
    ),
    _bug(
        "SQLite: no write-ahead log",
        "G5",
        (
            Edit(SQLITE, 'run("PRAGMA journal_mode = WAL")', 'run("PRAGMA journal_mode = DELETE")'),
            Edit(SQLITE, 'if mode != "wal":', 'if mode != "delete":'),
        ),
        f"{FILES}_the_file_says_what_it_is_and_keeps_its_promises",
    ),
    _bug(
        "SQLite: BEGIN instead of BEGIN IMMEDIATE",
        "G26",
        _one(SQLITE, 'writing=("BEGIN IMMEDIATE",)', 'writing=("BEGIN",)'),
        f"{UNITS}_a_writer_that_waited_too_long_is_told",
    ),
    _bug(
        "SQLite: writers do not queue",
        "G26",
        _one(SQLITE, "        with self._queue.turn():\n            yield", "        yield"),
        f"{RESOURCES}_writers_of_a_file_take_turns",
    ),
    _bug(
        "SQLite: foreign keys are not checked",
        "G36",
        _one(SQLITE, "foreign_keys = ON; P", "foreign_keys = OFF; P"),
        GOOD_FILE,
    ),
    _bug(
        "SQLite: foreign keys are not checked, and the doctor does not mind",
        "G36",
        (
            Edit(SQLITE, "foreign_keys = ON; P", "foreign_keys = OFF; P"),
            Edit(SQLITE, 'if not pragma("foreign_keys"):', "if False:"),
        ),
        f"{UNITS}_a_client_who_knows_the_former_rules_is_not_added",
    ),
    _bug(
        "SQLite: REPLACE goes past the triggers, and the doctor does not mind",
        "G16",
        (
            Edit(SQLITE, "FULL; PRAGMA recursive_triggers = ON", "FULL"),
            Edit(SQLITE, 'if not pragma("recursive_triggers"):', "if False:"),
        ),
        f"{TABLES}_a_fact_is_not_replaced_on_a_connection_of_ours",
    ),
    _bug(
        "SQLite: reports are read outside of a transaction",
        "G30",
        _one(SQLITE, 'reading=("BEGIN",)', "reading=()"),
        f"{ON_SQLITE}{SNAPSHOT}",
    ),
    _bug(
        "SQLite: a backup is a plain copy of the file",
        "G29",
        _one(
            SQLITE,
            "source.backup(copy, pages=1000, sleep=0.001)",
            "part.write_bytes(self.path.read_bytes())",
        ),
        f"{BACKUP}_a_copy_is_a_book_that_goes_on",
    ),
    _bug(
        "SQLite: a backup is not looked at",
        "G29",
        _one(SQLITE, "                    _check_whole(copy, path)\n", ""),
        f"{BACKUP}_a_damaged_file_makes_no_copy",
    ),
    _bug(
        "SQLite: the file of another program is taken",
        "G36",
        _one(SQLITE, "if application != APPLICATION_ID:", "if False:"),
        f"{FILES}_what_is_no_book_is_refused_by_name_and_left_as_it_is[of_another_program-False]",
    ),
    _bug(
        "SQLite: a network file system is taken for a disk",
        "G36",
        _one(SQLITE, "if kind in _NETWORKS:", "if False:"),
        f"{FINDINGS}_a_file_on_a_network_is_named[nfs]",
    ),
    _bug(
        "SQLite: an upgrade does not look for rows that refer to nothing",
        "G28",
        _one(SQLITE, 'if run("PRAGMA foreign_key_check").fetchall():', "if False:"),
        f"{MIGRATIONS}_rows_that_refer_to_nothing_are_found_before_the_commit",
    ),
)

# ------------------------------------------------------------ what a server is set to
_SERVERS = (
    _bug(
        "PostgreSQL: commits are not waited for",
        "G5",
        _one(
            POSTGRESQL,
            'execute("SET synchronous_commit = on")',
            'execute("SET synchronous_commit = off")',
        ),
        f"{GOOD_SERVER}[postgresql_url]",
    ),
    _bug(
        "PostgreSQL: texts order by the locale",
        "G20",
        _one(
            COLUMNS,
            'sa.Text(collation="C") if length is None else sa.String(length, collation="C")',
            "sa.Text() if length is None else sa.String(length)",
        ),
        f"{GOOD_SERVER}[postgresql_url]",
    ),
    _bug(
        "PostgreSQL: reports at READ COMMITTED",
        "G30",
        _one(
            POSTGRESQL,
            '"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"',
            '"BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"',
        ),
        f"{ON_POSTGRESQL}{SNAPSHOT}",
    ),
    _bug(
        "PostgreSQL: no lock_timeout",
        "G26",
        _one(
            POSTGRESQL,
            'f"SET lock_timeout = {int(options.wait * 1000) or 1}"',
            '"SET lock_timeout = 0"',
        ),
        f"{FINDINGS}_options_of_the_driver_reach_it",
    ),
    _bug(
        "PostgreSQL: a serialization failure (40001) is final",
        "P3",
        _one(POSTGRESQL, '_DEADLOCK = {"40001", "40P01"}', '_DEADLOCK = {"40P01"}'),
        f"{PASSES}[postgresql_url]",
    ),
    _bug(
        "PostgreSQL: a server that shuts down (57P01) is no outage",
        "G7",
        _one(POSTGRESQL, '_GONE = {"57P01", ', "_GONE = {"),
        f"{PASSES}[postgresql_url]",
    ),
    _bug(
        "PostgreSQL: a COMMIT that rolls back is taken for one",
        "G7",
        _one(POSTGRESQL, 'return bool(cursor.statusmessage == "COMMIT")', "return True"),
        f"{FAILING}_a_commit_that_was_a_rollback_is_told",
    ),
    _bug(
        "PostgreSQL: TRUNCATE is not guarded",
        "G16",
        _one(GUARDING, '        ("no_truncate", "TRUNCATE", "STATEMENT"),\n', ""),
        f"{MIGRATIONS}_upgraded_tables_are_those_of_a_new_book[postgresql]",
    ),
    _bug(
        "PostgreSQL: the number of partitions is ignored",
        "S9",
        _one(STORE, "options.schema, options.partitions)", "options.schema, 0)"),
        f"{SPLIT}_the_tables_of_clients_are_split_and_the_others_are_whole",
    ),
    _bug(
        "MariaDB: a deadlock (1213) is final",
        "P3",
        _one(MARIADB, "_DEADLOCK = {1213, 1020}", "_DEADLOCK = {1020}"),
        f"{PASSES}[mariadb_url]",
    ),
    _bug(
        "MariaDB: a node without a majority (1047) is no outage",
        "G7",
        _one(MARIADB, "_GONE = {0, 1040, 1047, ", "_GONE = {0, 1040, "),
        f"{PASSES}[mariadb_url]",
    ),
    _bug(
        "MariaDB: a collation that pads",
        "G2",
        _one(COLUMNS, '"collation": "utf8mb4_nopad_bin"}', '"collation": "utf8mb4_bin"}'),
        f"{ON_MARIADB}_claims_compare_byte_for_byte",
    ),
    _bug(
        "MariaDB: a collation that pads, and the doctor does not mind",
        "G2",
        (
            Edit(COLUMNS, '"collation": "utf8mb4_nopad_bin"}', '"collation": "utf8mb4_bin"}'),
            Edit(MARIADB, 'collation.endswith("_nopad_bin")', 'collation.endswith("_bin")'),
        ),
        f"{ON_MARIADB}_claims_compare_byte_for_byte",
    ),
    _bug(
        "MariaDB: general_ci, and the doctor does not mind",
        "G2",
        (
            Edit(
                COLUMNS, '"collation": "utf8mb4_nopad_bin"}', '"collation": "utf8mb4_general_ci"}'
            ),
            Edit(
                MARIADB, 'collation.endswith("_nopad_bin")', 'collation.endswith(("_bin", "_ci"))'
            ),
        ),
        f"{ON_MARIADB}_claims_compare_byte_for_byte",
    ),
    _bug(
        "MariaDB: READ UNCOMMITTED",
        "G4",
        _one(MARIADB, "ISOLATION LEVEL {options.isolation}", "ISOLATION LEVEL READ UNCOMMITTED"),
        f"{GOOD_SERVER}[mariadb_url]",
    ),
    _bug(
        "MariaDB: READ UNCOMMITTED, and the doctor does not mind",
        "G4",
        (
            Edit(
                MARIADB,
                "ISOLATION LEVEL {options.isolation}",
                "ISOLATION LEVEL READ UNCOMMITTED",
            ),
            Edit(MARIADB, '("READ-COMMITTED", ', '("READ-UNCOMMITTED", "READ-COMMITTED", '),
        ),
        f"{FAILING}_a_unit_of_work_sees_nothing_that_is_not_committed[mariadb_url]",
    ),
    _bug(
        "MariaDB: reports at READ COMMITTED",
        "G30",
        _one(
            MARIADB,
            '"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"',
            '"SET TRANSACTION ISOLATION LEVEL READ COMMITTED"',
        ),
        f"{ON_MARIADB}{SNAPSHOT}",
    ),
    _bug(
        "MariaDB: innodb_snapshot_isolation is off",
        "G4",
        _one(
            MARIADB,
            "SET SESSION innodb_snapshot_isolation = ON",
            "SET SESSION innodb_snapshot_isolation = OFF",
        ),
        f"{CONTRACT}MariadbRepeatableRead::test_a_unit_that_ends_cleanly_is_kept",
    ),
    _bug(
        "MariaDB: innodb_snapshot_isolation is off, and the doctor does not mind",
        "G4",
        (
            Edit(
                MARIADB,
                "SET SESSION innodb_snapshot_isolation = ON",
                "SET SESSION innodb_snapshot_isolation = OFF",
            ),
            Edit(MARIADB, '("tx_isolation") == "REPEATABLE-READ"', '("tx_isolation") == "NONE"'),
        ),
        f"{INTERLEAVE}_a_transaction_that_has_read_before_breaks_no_limit_on_mariadb",
    ),
    _bug(
        "MariaDB: moments without their microseconds",
        "G20",
        _one(COLUMNS, "mysql.DATETIME(fsp=6)", "mysql.DATETIME()"),
        f"{ON_MARIADB}_every_value_comes_back_as_it_was_written",
    ),
    _bug(
        "MariaDB: what has no day comes first",
        "G20",
        _one(SELECTS, "return [self.column.is_(None), term]", "return [term]"),
        f"{ON_MARIADB}_every_value_comes_back_as_it_was_written",
    ),
    _bug(
        "MariaDB: the doctor does not look at unique_checks",
        "G36",
        _one(
            MARIADB,
            '    ("unique_checks", ("ON", "1"), "what is unique is not checked", '
            '"SET unique_checks = 1"),\n',
            "",
        ),
        f"{FINDINGS}_a_mariadb_that_is_set_up_wrongly_is_named[unique_checks]",
    ),
    _bug(
        "PostgreSQL: an error repeats what the driver says",
        "G31",
        _one(POSTGRESQL, "{place}: {_said(original, state)}", "{place}: {original}"),
        f"{FAILING}_an_error_of_ours_repeats_nothing_that_the_driver_says[postgresql_url]",
    ),
    _bug(
        "a password in the name of a server",
        "G31",
        _one(
            SERVER,
            "url.set(query={}, password=None).render_as_string()",
            "url.set(query={}).render_as_string(hide_password=False)",
        ),
        f"{FAILING}_no_error_shows_what_is_personal_or_secret[postgresql_url]",
    ),
)

# ------------------------------------------------------------ transactions
_STORE = (
    _bug(
        "the doctor is heard and not heeded",
        "G36",
        _one(STORE, "        if refused:\n", "        if False:\n"),
        f"{FINDINGS}_a_file_that_is_set_up_wrongly_is_named[synchronous-spoil0]",
    ),
    _bug(
        "a lost reply to COMMIT is taken for success",
        "G7",
        _one(STORE, "            self._settle(failure, unit.proof)\n", ""),
        f"{LOST_REPLY}[postgresql_url]",
        f"{LOST_REPLY}[mariadb_url]",
    ),
    _bug(
        "a lost reply to COMMIT is taken for a failure",
        "P2",
        _one(
            STORE,
            "            self._settle(failure, unit.proof)\n",
            "            raise failure.error\n",
        ),
        f"{LOST_REPLY}[postgresql_url]",
        f"{LOST_REPLY}[mariadb_url]",
    ),
    _bug(
        "after a lost reply a fact is only looked for",
        "G7",
        _one(
            STORE,
            "if channel.write(proof.insert, [proof.values]):",
            "if SqlReading(channel, self._statements).lookup(proof.kind, proof.id) is None:",
        ),
        f"{REPLIES}_a_commit_that_postgresql_is_still_making_is_waited_for[Stays]",
    ),
    _bug(
        "the key of another command is a proof",
        "G7",
        _one(STORE, "return claim_values(held) == proof.values", "return True"),
        f"{FAILING}_the_key_of_another_command_is_no_proof[postgresql_url]",
        f"{FAILING}_the_key_of_another_command_is_no_proof[mariadb_url]",
    ),
    _bug(
        "what only another node says of a commit is believed",
        "G7",
        _one(STORE, "if self.engine.node(channel.connection) == proof.node:", "if True:"),
        f"{CLUSTER}_another_node_does_not_say_that_a_commit_was_not_made",
    ),
    _bug(
        "no fact is kept for a proof",
        "P2",
        _one(UNIT, "        self.proof = self.proof or self._proof(posting)\n", ""),
        f"{LOST_REPLY}[postgresql_url]",
    ),
    _bug(
        "a proof within an inner unit is forgotten",
        "G7",
        _one(UNIT, "        self.proof = self.proof or inner.proof\n", ""),
        f"{FAILING}_a_lost_reply_to_the_commit_of_a_whole_function_is_settled[postgresql_url]",
    ),
    _bug(
        "a server that only reads now says that a commit was not made",
        "G7",
        _one(STORE, "if isinstance(failure.error, Unavailable):  # what", "if False:  # what"),
        f"{REPLIES}_a_server_that_only_reads_now_says_nothing_of_a_commit",
    ),
    _bug(
        "a dead connection of the pool is not replaced",
        "G7",
        _one(
            STORE,
            "            self.engine.close()  # the others that rest will be no better\n"
            "            return self._begin(begin, turn)\n",
            "            raise\n",
        ),
        f"{FAILING}_connections_that_died_while_they_rested_are_replaced",
    ),
    _bug(
        "the other dead connections of the pool stay",
        "G7",
        _one(
            STORE, "            self.engine.close()  # the others that rest will be no better\n", ""
        ),
        f"{FAILING}_connections_that_died_while_they_rested_are_replaced",
    ),
    Bug(
        name="the pool is shared after a fork",
        guarantee="G34",
        edits=_one(STORE, "if self._process != os.getpid():", "if False:"),
        tests=(f"{RESOURCES}_a_book_may_be_used_after_a_fork[postgresql_url]",),
        hangs=True,
    ),
    _bug(
        "a book for reading only is written",
        "P3",
        _one(
            STORE,
            "        if self.engine.read_only:\n            raise",
            "        if False:\n            raise",
        ),
        f"{FILES}_a_book_open_for_reading_only_is_read_and_never_written",
    ),
    _bug(
        "a book that is closed keeps its connections",
        "G33",
        _one(f"{SRC}/engines/engine.py", "        self.pool.dispose()\n", "        pass\n"),
        f"{RESOURCES}_neither_files_nor_threads_nor_connections_are_left[sqlite]",
    ),
    _bug(
        "a snapshot begins when it is first read",
        "G30",
        _one(STORE, "            channel.rows(self._statements.pin, {})", "            pass"),
        f"{UNITS}_a_snapshot_is_of_the_moment_at_which_it_began",
    ),
    _bug(
        "a unit that has ended goes on",
        "G6",
        _one(STORE, "            channel.end()\n", ""),
        f"{UNITS}_a_unit_that_has_ended_takes_nothing_more",
    ),
    _bug(
        "a transaction that the database has undone goes on",
        "G6",
        _one(
            CHANNEL,
            "        if failure.killed:\n            self._abort()\n",
            "        if failure.killed:\n",
        ),
        f"{FAILING}_a_transaction_that_the_database_has_undone_takes_nothing_more[postgresql_url]",
        f"{FAILING}_a_transaction_that_the_database_has_undone_takes_nothing_more[mariadb_url]",
    ),
    _bug(
        "a savepoint is not rolled back",
        "G6",
        _one(
            CHANNEL, '            self._cursor.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")\n', ""
        ),
        f"{ON_SQLITE}_an_inner_error_undoes_the_inner_unit_alone",
    ),
)

# ------------------------------------------------------------ what a posting writes
_WRITES = (
    _bug(
        "a posting is no savepoint",
        "G6",
        _one(
            UNIT,
            "            with self._channel.savepoint():\n                self._guards(posting)",
            "            if True:\n                self._guards(posting)",
        ),
        f"{ON_SQLITE}_a_revision_that_has_moved_on_refuses_the_whole_posting",
    ),
    _bug(
        "versions and revisions are not compared",
        "G3",
        _one(WRITES, "sa.update(table).where(same, still)", "sa.update(table).where(same)"),
        f"{ON_SQLITE}_a_head_that_has_moved_on_refuses_the_whole_posting",
        f"{ON_SQLITE}_a_revision_that_has_moved_on_refuses_the_whole_posting",
    ),
    _bug(
        "memory: versions of heads are not compared",
        "G3",
        _one(
            f"{CORE}/memory.py",
            'self._expect(Head, step.head.client, "version", step.expected)',
            "pass",
        ),
        f"{MEMORY}_a_head_that_has_moved_on_refuses_the_whole_posting",
    ),
    Bug(
        name="a head is read without FOR UPDATE",
        guarantee="G3",
        edits=_one(UNIT, "    _locking = True\n", "    _locking = False\n"),
        tests=(
            f"{ON_POSTGRESQL}_writers_at_once_lose_nothing",
            f"{INTERLEAVE}_two_commands_at_once_end_as_one_after_the_other_on_postgresql",
        ),
        harmless="the version in the head's UPDATE decides; the lock only saves planning again",
    ),
    _bug(
        "amounts move beyond their bounds",
        "G4",
        _one(WRITES, "add.where(*same, *within)", "add.where(*same)"),
        f"{ON_SQLITE}_a_move_outside_its_bounds_refuses_the_whole_posting",
        f"{ON_POSTGRESQL}_a_move_outside_its_bounds_refuses_the_whole_posting",
    ),
    _bug(
        "amounts of a row that may begin move beyond their bounds",
        "G4",
        _one(WRITES, "            where=sa.and_(*within),\n", ""),
        f"{UNITS}_nothing_opens_beyond_what_it_is_over",
    ),
    _bug(
        "how many rows a move has changed is ignored",
        "G4",
        _one(
            UNIT,
            "self._all(writes.begin if begin else writes.add, rows)",
            "self._channel.write(writes.begin if begin else writes.add, rows)",
        ),
        f"{ON_SQLITE}_a_move_outside_its_bounds_refuses_the_whole_posting",
    ),
    _bug(
        "whether a claim is taken is ignored",
        "G2",
        _one(
            UNIT,
            "self._all(writes.claim, [records.claim_values(claim) for claim in posting.claims])",
            "self._channel.write(\n"
            "            writes.claim, [records.claim_values(claim) for claim in posting.claims]\n"
            "        )",
        ),
        f"{ON_SQLITE}_a_claim_is_taken_once_and_can_be_freed",
    ),
    _bug(
        "heads need no edition that there is",
        "G4",
        _one(RECORDS, '            foreign(editions, ("edition", "number")),\n', ""),
        f"{UNITS}_a_client_who_knows_the_former_rules_is_not_added",
    ),
    _bug(
        "former editions stay, so that a new client may have one",
        "G4",
        _one(
            UNIT,
            "            self._channel.write(writes.only_edition, [edition])\n",
            "            pass\n",
        ),
        f"{UNITS}_a_client_who_knows_the_former_rules_is_not_added",
    ),
    _bug(
        "a command may be planned on former rules and a new head",
        "G4",
        _one(
            WORK,
            "if head is not None and head.edition != self.settings.edition:",
            "if False:",
        ),
        f"{FAILING}_a_command_that_knew_the_former_rules_is_planned_again[postgresql_url]",
        f"{FAILING}_a_command_that_knew_the_former_rules_is_planned_again[mariadb_url]",
    ),
    _bug(
        "a member who leaves may be given something meanwhile",
        "G3",
        _one(
            WORK,
            "        self.add(Posting(stands=(Stand(member),)))\n        return member.id\n",
            "        return member.id\n",
        ),
        MEMBER_LEFT,
    ),
    _bug(
        "a member leaves after everything was counted",
        "G3",
        _one(f"{SERVICES}/team.py", "                work.flush()\n", ""),
        MEMBER_LEFT,
    ),
    _bug(
        "former rows of the timeline stay",
        "P3",
        _one(
            UNIT,
            "        if former:\n            self._channel.write(writes.hide, former)\n",
            "",
        ),
        "tests/test_tasks_team.py::test_what_was_said_is_revised_and_stays_visible[sqlite]",
    ),
    _bug(
        "moments in the time of the machine",
        "G21",
        _one(COLUMNS, "moment = value.astimezone(UTC)\n", "moment = value.astimezone()\n"),
        f"{ANSWERS}_moments_are_the_same_wherever_a_process_runs",
    ),
    _bug(
        "JSON in any order of keys",
        "G2",
        _one(f"{CORE}/codec.py", "sort_keys=True", "sort_keys=False"),
        "tests/test_codec.py::test_there_is_one_way_of_writing",
    ),
    _bug(
        "columns of JSON with escapes",
        "G20",
        _one(COLUMNS, "        return canonical(value)\n", "        return json.dumps(value)\n"),
        f"{ON_SQLITE}_every_value_comes_back_as_it_was_written",
    ),
    _bug(
        "what has no day comes first",
        "G20",
        _one(SELECTS, "[term.nulls_last()]", "[term.nulls_first()]"),
        f"{ANSWERS}_pages_go_through_what_has_no_day_and_what_has",
    ),
    _bug(
        "a page of a falling list begins in the wrong direction",
        "G20",
        _one(
            SELECTS,
            "self.column < value if self.falling else self.column > value",
            "self.column > value",
        ),
        "tests/test_tasks_team.py::test_the_timeline_is_everything_newest_first[sqlite]",
    ),
    _bug(
        "figures of a former day are those of today",
        "G1",
        _one(READING, "        if not late:\n", "        if True:\n"),
        f"{ANSWERS}_figures_of_a_day_come_from_rows_and_from_facts_together",
    ),
)

# ------------------------------------------------------------ the feed, and what is kept for good
_FEED = (
    _bug(
        "events do not await a position",
        "G9",
        _one(
            UNIT,
            '[{"event_id": event.id, "client_id": event.client} for event in posting.of(Event)]',
            "[]",
        ),
        f"{ON_SQLITE}_positions_have_no_gaps_and_keep_the_order_of_a_client",
    ),
    _bug(
        "two may give positions at once",
        "G12",
        _one(UNIT, "        self._channel.rows(writes.hold_feed, {})\n", ""),
        f"{FAILING}_two_who_give_positions_at_once_take_turns[postgresql_url]",
        f"{FAILING}_two_who_give_positions_at_once_take_turns[mariadb_url]",
    ),
    _bug(
        "positions are numbers of a sequence, with gaps",
        "G9",
        _one(
            WRITES,
            "last + sa.func.row_number().over(order_by=p.id)",
            "last + p.id",
        ),
        f"{ON_POSTGRESQL}_positions_have_no_gaps_and_keep_the_order_of_a_client",
    ),
    _bug(
        "an event that is committed meanwhile gets no position",
        "G9",
        _one(
            WRITES,
            "sa.delete(t.pending).where(t.pending.c.event_id.in_(sa.select(t.feed.c.event_id)))",
            "sa.delete(t.pending)",
        ),
        f"{FAILING}_an_event_that_is_committed_while_positions_are_given_gets_one[postgresql_url]",
        f"{FAILING}_an_event_that_is_committed_while_positions_are_given_gets_one[mariadb_url]",
    ),
    _bug(
        "releases are not guarded",
        "G16",
        _one(SCHEMA, "            self.releases,\n", ""),
        f"{MIGRATIONS}_upgraded_tables_are_those_of_a_new_book[v1]",
    ),
    _bug(
        "facts may be deleted, and the doctor does not mind",
        "G16",
        (
            Edit(GUARDING, '_VERBS = ("UPDATE", "DELETE")', '_VERBS = ("UPDATE",)'),
            Edit(SQLITE, 'for verb in ("update", "delete")]', 'for verb in ("update",)]'),
        ),
        f"{TABLES}_a_fact_is_neither_changed_nor_deleted[feed]",
    ),
    _bug(
        "the seals of an upgraded book are not guarded",
        "G16",
        _one(VERSION_3, '    keep("seals")\n', ""),
        f"{MIGRATIONS}_upgraded_tables_are_those_of_a_new_book[v1]",
    ),
    _bug(
        "an upgrade leaves heads behind their allocations",
        "G28",
        _one(VERSION_2, '    _heads("allocations")\n', ""),
        f"{MIGRATIONS}_heads_know_when_the_last_link_was_recorded[allocations]",
    ),
    _bug(
        "an upgrade leaves the timeline without business dates",
        "G28",
        _one(VERSION_2, "    _timeline()\n", ""),
        f"{MIGRATIONS}_an_upgraded_book_says_what_it_said_before[v1]",
    ),
    _bug(
        "an upgrade leaves names that are too long to sort by",
        "G28",
        _one(VERSION_3, "    _names()\n", ""),
        f"{MIGRATIONS}_lists_go_by_names_that_are_short_enough[v1]",
    ),
    _bug(
        "a newer book is opened",
        "G28",
        _one(
            SCHEMA, "    if version > SCHEMA_VERSION:\n", "    if version > SCHEMA_VERSION + 1:\n"
        ),
        f"{FILES}_what_is_no_book_is_refused_by_name_and_left_as_it_is[newer-False]",
    ),
)

# ------------------------------------------------------------ commands
_DESK = (
    _bug(
        "an idempotency key is not stored",
        "G2",
        _one(
            DESK,
            "                posting += Posting(claims=(Claim(COMMANDS, key, subject, told),))\n",
            "",
        ),
        f"{REPEATS}_every_command_that_takes_a_key_is_done_once[memory]",
    ),
    _bug(
        "an idempotency key is stored after the commit",
        "G2",
        (
            Edit(
                DESK,
                "posting += Posting(claims=(Claim(COMMANDS, key, subject, told),))",
                "once.late = [Posting(claims=(Claim(COMMANDS, key, subject, told),))]",
            ),
            Edit(
                DESK,
                "                    return once(unit)\n",
                "                    value = once(unit)\n"
                "                for posting in getattr(once, 'late', ()):\n"
                "                    with self.scope.begin() as unit:\n"
                "                        unit.post(posting)\n"
                "                return value\n",
            ),
        ),
        f"{FAILING}_a_failing_disk_is_named_and_leaves_nothing[13-disk is full]",
    ),
    _bug(
        "idempotency keys are compared without regard to case",
        "G2",
        _one(
            DESK,
            '            check_key(key, "key")\n\n        def once',
            '            key = check_key(key, "key").lower()\n\n        def once',
        ),
        f"{REPEATS}_keys_are_told_apart_byte_by_byte[memory]",
    ),
    _bug(
        "a key with other arguments is answered",
        "G2",
        _one(
            DESK,
            "                    _check_same(held, action, codec.digests(arguments))\n",
            "",
        ),
        f"{REPEATS}_a_key_recorded_in_a_unit_that_was_undone_is_free[memory]",
    ),
    _bug(
        "a command is planned once only",
        "P3",
        _one(DESK, "_TRIES = 12", "_TRIES = 1"),
        f"{REPEATS}_a_command_is_planned_again_when_others_were_quicker",
    ),
    _bug(
        "an outage is not waited out",
        "G7",
        _one(
            DESK,
            "            except Unavailable:\n                if attempt == tries:\n",
            "            except Unavailable:\n                if True:\n",
        ),
        f"{PASSES}[postgresql_url]",
    ),
    _bug(
        "the closing day is open",
        "G16",
        _one(
            WORK,
            "if closed is not None and day <= closed:",
            "if closed is not None and day < closed:",
        ),
        "tests/test_ledger_closed.py"
        "::test_nothing_is_recorded_on_the_closing_day_and_all_of_it_on_the_next[memory]",
    ),
    _bug(
        "time runs back with the clock",
        "G21",
        _one(
            WORK,
            "at = self.now if head is None else max(self.now, head.recorded_at)",
            "at = self.now",
        ),
        "tests/test_ledger_days.py"
        "::test_time_never_runs_back_for_a_client_though_the_clock_does[memory]",
    ),
    _bug(
        "strong reports come from the replica",
        "G35",
        _one(
            f"{CORE}/book.py",
            'replica = self._replica if consistency == "eventual" else None',
            "replica = self._replica",
        ),
        f"{REPLICA}_reports_come_from_a_streaming_replica_of_postgresql",
    ),
    _bug(
        "commands go to the replica",
        "P3",
        _one(
            f"{CORE}/book.py",
            "self._with(scope=_ForReading(replica or self._desk.scope))",
            "self._with(scope=replica or self._desk.scope)",
        ),
        f"{REPLICA}_without_a_replica_reading_is_of_the_book_itself[memory:]",
    ),
    _bug(
        "another node answers at once, with what it had before",
        "G35",
        _one(MARIADB, "SET SESSION wsrep_sync_wait = 1", "SET SESSION wsrep_sync_wait = 0"),
        f"{CLUSTER}_a_node_that_is_behind_answers_when_it_has_caught_up",
    ),
    _bug(
        "a broken plugin is not named",
        "P6",
        _one(
            f"{CORE}/plugins.py",
            "    except Exception as error:  # a broken plugin is named",
            "    except LookupError as error:  # a broken plugin is named",
        ),
        "tests/test_plugins.py::test_a_plugin_that_fails_to_open_is_named",
    ),
)

# ------------------------------------------------------------ the audit, the chain, and dumps
_PROOFS = (
    _bug(
        "the hash chain does not hold amounts",
        "G17",
        _one(SEALS, '        "amount": _money(fact.amount),\n', ""),
        f"{CHAIN}_the_chain_can_be_recomputed_from_the_rows_alone",
    ),
    _bug(
        "the hash chain does not hold the order",
        "G17",
        _one(SEALING, 'f"{before}\\n{said}\\n{personal}"', 'f"{said}\\n{personal}"'),
        f"{CHAIN}_the_chain_can_be_recomputed_from_the_rows_alone",
    ),
    _bug(
        "the hash chain depends on the decimal context",
        "G19",
        _one(SEALS, "        return exact.to_sci_string(value)\n", "        return f'{+value}'\n"),
        f"{CHAIN}_the_context_of_decimals_changes_no_digest",
    ),
    _bug(
        "a chain whose end has gone fits its anchor",
        "G17",
        _one(
            SEALING,
            "        if held != self._anchor.digest:\n",
            "        if held not in (None, self._anchor.digest):\n",
        ),
        f"{CHAIN}_a_tail_that_was_cut_off_is_noticed_with_an_anchor_alone[1]",
    ),
    _bug(
        "the audit does not compare open items",
        "G1",
        _one(f"{SERVICES}/rows.py", "    OpenItem: OpenItemQuery(open_only=False),\n", ""),
        f"{BAD_DATA}_a_derived_row_that_is_wrong_is_named_and_written_anew[sqlite-an open item]",
    ),
    _bug(
        "the audit does not look for strays",
        "G9",
        _one(AUDIT, "[*self._reading.strays(), *self._rows.problems]", "self._rows.problems"),
        f"{BAD_DATA}_what_is_not_derived_is_named_and_left[sqlite-an event that waits for nothing]",
    ),
    _bug(
        "figures are written anew from facts that are in doubt",
        "G16",
        _one(
            REPAIRING,
            "{problem.client for problem in found if problem.what not in _NO_DOUBT}",
            "{*()}",
        ),
        f"{BAD_DATA}_what_is_not_derived_is_named_and_left[sqlite-an amount below zero]",
    ),
    _bug(
        "a repair tells nobody",
        "G16",
        _one(
            REPAIRING,
            '        work.tell("book.repaired", client, client=owner, data={"rows": told})\n',
            "",
        ),
        f"{BAD_DATA}_a_repair_tells_who_when_and_what",
    ),
    _bug(
        "a dump is of several moments",
        "P8",
        _one(
            DUMPING,
            "                yield reading\n",
            "                yield _Loose(desk)\n",
        )
        + _one(
            DUMPING,
            "@contextmanager\ndef _settled",
            "class _Loose:\n"
            "    def __init__(self, desk):\n"
            "        self._desk = desk\n\n"
            "    def __getattr__(self, name):\n"
            "        def ask(*told):\n"
            "            with self._desk.scope.snapshot() as reading:\n"
            "                return getattr(reading, name)(*told)\n\n"
            "        return ask\n\n\n"
            "@contextmanager\ndef _settled",
        ),
        f"{PORTABLE}_what_is_written_meanwhile_is_not_in_a_dump[memory]",
        f"{PORTABLE}_what_is_written_meanwhile_is_not_in_a_dump[sqlite]",
    ),
    _bug(
        "a dump is loaded whatever its digest says",
        "P8",
        _one(LOADING, "        check_end(line, self._tally.dump)\n", ""),
        f"{REFUSALS}_wrong_counts_are_noticed_where_the_digest_is_right[memory]",
    ),
    _bug(
        "a dump is loaded into a book that is not empty",
        "P8",
        _one(LOADING, "            _check_empty(unit)\n", ""),
        f"{PORTABLE}_only_an_empty_book_is_loaded_into",
    ),
)

BUGS = (*_FILES, *_SERVERS, *_STORE, *_WRITES, *_FEED, *_DESK, *_PROOFS)
"""All of them, in the order in which they are planted."""
