"""The migrations of the tables, from the first version on, as an Alembic environment.

`clientledger_sqlalchemy.upgrading` runs them. A host with migrations of its own gives the folder
`versions` to Alembic as a version location, and `prefix` and `schema` to ``context.configure``.
"""
