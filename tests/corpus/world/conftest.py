import pytest

from lab.corpus.world.records import records
from lab.corpus.world.sources import counts

SEED = 0
SIZE = 4000


@pytest.fixture(scope="session")
def corpus():
    """All records of a world of 4,000 documents, by id."""
    made = (r for source, count in counts(SIZE).items() for r in records(source, count, SEED))
    return {record.id: record for record in made}
