"""Proposals about stock: transfers, rush orders and orders, with what was decided and what was moved

Revision: 0008, follows 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_proposal",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("material_code", sa.String(length=64), nullable=False),
        sa.Column("from_warehouse_code", sa.String(length=64), nullable=True),
        sa.Column("to_warehouse_code", sa.String(length=64), nullable=False),
        sa.Column("proposed_units", sa.Integer(), nullable=False),
        sa.Column("quantity_units", sa.Integer(), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=True),
        sa.Column("cost_cny", sa.Double(), nullable=True),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("consequence_zh", sa.Text(), nullable=False),
        sa.Column("consequence_en", sa.Text(), nullable=False),
        sa.Column("short_units", sa.Double(), nullable=False),
        sa.Column("short_cost_cny", sa.Double(), nullable=False),
        sa.Column("stockout_probability", sa.Double(), nullable=False),
        sa.Column("runs_out_ahead", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("adjustment_reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("moved_by", sa.String(length=64), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_units", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('transfer', 'rush_order', 'cross_region', 'order')", name=op.f("ck_stock_proposal_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('proposed', 'approved', 'rejected', 'moved', 'replaced')",
            name=op.f("ck_stock_proposal_status_known"),
        ),
        sa.CheckConstraint("step BETWEEN 0 AND 3", name=op.f("ck_stock_proposal_step_range")),
        sa.CheckConstraint(
            "proposed_units > 0 AND quantity_units > 0 AND moved_units > 0",
            name=op.f("ck_stock_proposal_quantity_sign"),
        ),
        sa.CheckConstraint("from_warehouse_code <> to_warehouse_code", name=op.f("ck_stock_proposal_two_places")),
        sa.CheckConstraint(
            "(from_warehouse_code IS NULL) = (kind IN ('rush_order', 'order'))", name=op.f("ck_stock_proposal_donor")
        ),
        sa.CheckConstraint("(status = 'moved') = (moved_units IS NOT NULL)", name=op.f("ck_stock_proposal_moved")),
        sa.ForeignKeyConstraint(
            ["from_warehouse_code"], ["warehouse.code"], name=op.f("fk_stock_proposal_from_warehouse_code_warehouse")
        ),
        sa.ForeignKeyConstraint(
            ["material_code"], ["material.code"], name=op.f("fk_stock_proposal_material_code_material")
        ),
        sa.ForeignKeyConstraint(
            ["to_warehouse_code"], ["warehouse.code"], name=op.f("fk_stock_proposal_to_warehouse_code_warehouse")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_proposal")),
    )
    with op.batch_alter_table("stock_proposal", schema=None) as batch_op:
        batch_op.create_index("ix_stock_proposal_place", ["material_code", "to_warehouse_code", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_stock_proposal_plan_id"), ["plan_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stock_proposal_status"), ["status"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("stock_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_proposal_status"))
        batch_op.drop_index(batch_op.f("ix_stock_proposal_plan_id"))
        batch_op.drop_index("ix_stock_proposal_place")
    op.drop_table("stock_proposal")
