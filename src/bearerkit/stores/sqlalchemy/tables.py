"""The tables of `SqlPolicies`. Every key begins with the tenant, so that no row can point at one of another tenant."""

from __future__ import annotations

from typing import final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)  # fmt: skip

__all__ = ["PolicyTables"]


def _name(column: str) -> Column[str]:
    return Column(column, String(255), primary_key=True)


@final
class PolicyTables:
    """Describes the tables, in `metadata` if given, for a team that keeps one for all its tables."""

    def __init__(
        self, *, prefix: str = "bearerkit_", schema: str | None = None, metadata: MetaData | None = None
    ) -> None:
        self.metadata = metadata = MetaData() if metadata is None else metadata
        policy = [f"{prefix}policies.{column}" for column in ("tenant", "number")]
        if schema is not None:
            policy = [f"{schema}.{column}" for column in policy]
        number = BigInteger().with_variant(Integer, "sqlite")
        self.epochs = Table(
            f"{prefix}policy_epochs",
            metadata,
            _name("tenant"),
            Column("epoch", BigInteger, nullable=False),
            schema=schema,
        )
        self.policies = Table(
            f"{prefix}policies",
            metadata,
            _name("tenant"),
            Column("number", number, primary_key=True, autoincrement=False),
            Column("name", String(255), nullable=False),
            Column("version", Integer, nullable=False),
            UniqueConstraint("tenant", "name", name=f"{prefix}policies_name"),
            schema=schema,
        )
        self.versions = Table(
            f"{prefix}policy_versions",
            metadata,
            _name("tenant"),
            Column("number", number, primary_key=True, autoincrement=False),
            Column("version", Integer, primary_key=True, autoincrement=False),
            Column("document", Text, nullable=False),
            Column("resolved", Text),
            Column("statements", Integer, nullable=False),
            Column("created_at", Double, nullable=False),
            ForeignKeyConstraint(["tenant", "number"], policy, name=f"{prefix}policy_versions_policy"),
            schema=schema,
        )
        self.bindings = Table(
            f"{prefix}policy_bindings",
            metadata,
            _name("tenant"),
            Column("kind", String(6), primary_key=True),
            _name("bound_to"),
            Column("number", number, primary_key=True, autoincrement=False),
            ForeignKeyConstraint(["tenant", "number"], policy, name=f"{prefix}policy_bindings_policy"),
            Index(f"{prefix}policy_bindings_number", "tenant", "number"),
            schema=schema,
        )
        self.links = Table(
            f"{prefix}policy_role_links",
            metadata,
            _name("tenant"),
            Column("kind", String(6), primary_key=True),
            _name("child"),
            _name("role"),
            schema=schema,
        )
