"""What the schema says about itself."""

from storage.base import Base, Mapped, mapped_column


class SchemaFloorRecord(Base):
    """One row: the oldest revision whose code works on this schema."""

    __tablename__ = "schema_floor"

    revision: Mapped[str] = mapped_column(primary_key=True)
