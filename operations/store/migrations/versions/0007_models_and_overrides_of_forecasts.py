"""The registry of forecast models, how forecasts were made, and what people changed in them

Revision: 0007, follows 0006.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ADDED = ("manifest", "trial", "decided_at", "decided_by", "reason_zh", "reason_en", "predecessor", "pruned_at")


def _stamps() -> list[sa.Column[Any]]:
    return [
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
    ]


def upgrade() -> None:
    # plain texts as defaults, so that SQLite adds the columns in place
    op.add_column("forecast_model", sa.Column("manifest", _JSON, server_default="{}", nullable=False))
    op.add_column("forecast_model", sa.Column("trial", _JSON, server_default="{}", nullable=False))
    op.add_column("forecast_model", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("forecast_model", sa.Column("decided_by", sa.String(length=64), nullable=True))
    op.add_column("forecast_model", sa.Column("reason_zh", sa.Text(), nullable=True))
    op.add_column("forecast_model", sa.Column("reason_en", sa.Text(), nullable=True))
    op.add_column("forecast_model", sa.Column("predecessor", sa.String(length=64), nullable=True))
    op.add_column("forecast_model", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))

    op.create_table(
        "forecast_model_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("replaced", sa.String(length=64), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        *_stamps(),
        sa.CheckConstraint(
            "kind IN ('trained', 'promoted', 'chosen', 'rolled_back', 'pruned')",
            name=op.f("ck_forecast_model_change_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["forecast_model.version"], name=op.f("fk_forecast_model_change_version_forecast_model")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_model_change")),
    )
    with op.batch_alter_table("forecast_model_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_forecast_model_change_version"), ["version"], unique=False)

    op.create_table(
        "forecast_run",
        sa.Column("origin", sa.Date(), nullable=False),
        sa.Column("model_version", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("notes", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version"], ["forecast_model.version"], name=op.f("fk_forecast_run_model_version_forecast_model")
        ),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_forecast_run")),
    )

    op.create_table(
        "forecast_override",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("region_code", sa.String(length=64), nullable=False),
        sa.Column("material_code", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quantity_units", sa.Double(), nullable=True),
        sa.Column("factor", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Date(), nullable=False),
        sa.Column("model_units", sa.Double(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        *_stamps(),
        sa.CheckConstraint(
            "(quantity_units IS NULL) <> (factor IS NULL)", name=op.f("ck_forecast_override_one_of_two")
        ),
        sa.CheckConstraint("quantity_units >= 0 AND factor >= 0", name=op.f("ck_forecast_override_not_negative")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name=op.f("ck_forecast_override_withdrawal")
        ),
        sa.ForeignKeyConstraint(
            ["material_code"], ["material.code"], name=op.f("fk_forecast_override_material_code_material")
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_forecast_override_region_code_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_override")),
    )
    with op.batch_alter_table("forecast_override", schema=None) as batch_op:
        batch_op.create_index("ix_forecast_override_day", ["day"], unique=False)
        batch_op.create_index("ix_forecast_override_place", ["region_code", "material_code", "day"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("forecast_override", schema=None) as batch_op:
        batch_op.drop_index("ix_forecast_override_place")
        batch_op.drop_index("ix_forecast_override_day")
    op.drop_table("forecast_override")
    op.drop_table("forecast_run")
    with op.batch_alter_table("forecast_model_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_forecast_model_change_version"))
    op.drop_table("forecast_model_change")
    for column in reversed(_ADDED):
        op.drop_column("forecast_model", column)
