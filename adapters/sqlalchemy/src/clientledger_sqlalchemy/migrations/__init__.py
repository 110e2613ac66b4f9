"""The migrations of the tables, from the first version on, as an Alembic environment.

`clientledger_sqlalchemy.upgrading` runs them; a new book is made without them.
"""
