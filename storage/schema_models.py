"""What the schema says about itself."""

from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class SchemaFloorRecord(Base):
    """One row: the oldest revision whose code works on this schema."""

    __tablename__ = "schema_floor"

    revision: Mapped[str] = mapped_column(primary_key=True)
