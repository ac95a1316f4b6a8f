"""The recorded tables: schemas, atomic files, and a hash that sees values and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic

from sim.system import files, tables


@pytest.fixture
def spells():
    return synthetic.random_spells(np.random.default_rng(1), 300, 3, ["alpha", "beta"])


def changed(table, name, values, kind=None):
    place = table.column_names.index(name)
    return table.set_column(place, pa.field(name, kind or table.schema.field(name).type), values)


# --- schemas ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tables.NAMES)
def test_empty_tables_are_of_their_schema_and_survive_a_file(name, tmp_path):
    tables.check(name, tables.empty(name))
    tables.write_table(tmp_path / "t.parquet", tables.empty(name))
    read = tables.read_table(tmp_path / "t.parquet")
    tables.check(name, read)
    assert tables.canonical_hash(read) == tables.canonical_hash(tables.empty(name))


def test_money_is_whole_cents_and_every_table_knows_its_run():
    for name, schema in tables.SCHEMAS.items():
        assert schema.field("run").type == pa.int32(), name
        for field in schema:
            if field.name.endswith("cents"):
                assert field.type == pa.int64(), (name, field.name)


def test_causes_are_those_of_the_columns():
    assert tables.CAUSES == ("rival", "found", "academia", "field", "acquihire", "released")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda t: t.drop_columns(["unit"]), "columns are"),
        (lambda t: t.select(t.column_names[::-1]), "columns are"),
        (
            lambda t: changed(t, "run", t.column("run").cast(pa.int64()), pa.int64()),
            "run is int64, due is int32",
        ),
        (lambda t: changed(t, "lab", t.column("lab").cast(pa.string()), pa.string()), "lab is string"),
        (lambda t: changed(t, "run", pa.nulls(t.num_rows, pa.int32())), "run misses 300 values"),
    ],
)
def test_check_names_what_is_wrong(spells, spoil, words):
    tables.check("spells", spells)
    with pytest.raises(tables.TableError, match=words) as caught:
        tables.check("spells", spoil(spells))
    assert "\n" not in str(caught.value)


# --- joining ------------------------------------------------------------------------------------


def test_concat_keeps_order_and_hash(spells):
    parts = [spells.slice(0, 100), spells.slice(100, 0), spells.slice(100)]
    joined = tables.concat(parts)
    tables.check("spells", joined)
    assert tables.canonical_hash(joined) == tables.canonical_hash(spells)
    assert joined.to_pandas().equals(spells.to_pandas())


def test_concat_unites_different_dictionaries():
    parts = [synthetic.spells([1], [2], ["found"], lab=lab) for lab in ("beta", "alpha")]
    assert tables.concat(parts).column("lab").to_pylist() == ["beta", "alpha"]


def test_concat_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no tables"):
        tables.concat([])


# --- columns as arrays --------------------------------------------------------------------------


def test_codes_do_not_depend_on_the_dictionary():
    words = ["b", None, "a", "b"]
    shuffled = pa.DictionaryArray.from_arrays(
        pa.array([3, None, 1, 0], pa.int32()), ["b", "a", "unused", "b"]
    )
    for column in (pa.array(words), pa.array(words).dictionary_encode(), shuffled):
        found, values = tables.codes(pa.chunked_array([column]))
        assert values == ["a", "b"]
        assert found.tolist() == [1, -1, 0, 1]


def test_codes_of_no_rows():
    found, values = tables.codes(tables.empty("spells").column("lab"))
    assert (len(found), values) == (0, [])


def test_numbers_read_missing_as_zero_and_dates_as_days():
    column = pa.chunked_array([pa.array([3, None], pa.int16())])
    assert tables.numbers(column).tolist() == [3, 0]
    assert tables.numbers(pa.chunked_array([pa.array([10], pa.date32())])).tolist() == [10]


# --- the canonical hash -------------------------------------------------------------------------


def test_hash_is_that_of_the_published_recipe():
    """Changes only with a new format: results of one version stay comparable."""
    numbers, words = pa.array([0, 1, None], pa.int32()), pa.array(["b", "a", None])

    def sha(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    run = sha(b"2:3,5:runint32", *(n.to_bytes(4, "little") for n in (0, 1, 0))) + sha(bytes([0, 0, 1]))
    lab = sha(b"2:3,4:labtext", b"2:1,1:ab", *(n.to_bytes(4, "little", signed=True) for n in (1, 0, -1)))
    due = hashlib.sha256(b"talentsim-table-1:3" + run + lab).hexdigest()
    assert tables.canonical_hash(pa.table({"run": numbers, "lab": words})) == due


def test_hash_ignores_chunks_dictionaries_and_files(spells, tmp_path):
    due = tables.canonical_hash(spells)
    rechunked = pa.concat_tables([spells.slice(i, 7) for i in range(0, 300, 7)])
    plain = pa.Table.from_arrays(
        [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in spells.columns],
        spells.column_names,
    )
    backwards = changed(spells, "lab", _reversed_dictionary(spells.column("lab")))
    for compression in ("zstd", "none"):
        pq.write_table(spells, tmp_path / compression, compression=compression, row_group_size=50)
    read = [tables.read_table(tmp_path / name) for name in ("zstd", "none")]
    for same in (rechunked, plain, backwards, *read):
        assert tables.canonical_hash(same) == due


def _reversed_dictionary(column):
    whole = column.unify_dictionaries().combine_chunks()
    last = len(whole.dictionary) - 1
    flipped = pa.array(last - whole.indices.to_numpy(), pa.int32())
    return pa.DictionaryArray.from_arrays(flipped, pa.array(whole.dictionary.to_pylist()[::-1]))


SMALL = {
    "number": pa.array([1, 2, None], pa.int32()),
    "share": pa.array([0.5, 1.0, float("nan")]),
    "word": pa.array(["a", "b", None]),
    "flag": pa.array([True, False, True]),
}
OTHERS = {
    "a value": SMALL | {"number": pa.array([1, 3, None], pa.int32())},
    "null is not 0": SMALL | {"number": pa.array([1, 2, 0], pa.int32())},
    "where the null is": SMALL | {"number": pa.array([1, None, 0], pa.int32())},
    "type": SMALL | {"number": pa.array([1, 2, None], pa.int64())},
    "sign of zero": SMALL | {"share": pa.array([-0.5, 1.0, float("nan")])},
    "null is not nan": SMALL | {"share": pa.array([0.5, 1.0, None])},
    "a word": SMALL | {"word": pa.array(["a", "c", None])},
    "words glued": SMALL | {"word": pa.array(["ab", "", None])},
    "missing word": SMALL | {"word": pa.array(["a", None, "b"])},
    "empty is not missing": SMALL | {"word": pa.array(["a", "b", ""])},
    "a flag": SMALL | {"flag": pa.array([True, True, True])},
    "a name": {("count" if key == "number" else key): value for key, value in SMALL.items()},
    "column order": dict(reversed(SMALL.items())),
    "row order": {key: value.take([1, 0, 2]) for key, value in SMALL.items()},
    "fewer rows": {key: value.slice(0, 2) for key, value in SMALL.items()},
}


@pytest.mark.parametrize("difference", OTHERS)
def test_hash_sees(difference):
    assert tables.canonical_hash(pa.table(OTHERS[difference])) != tables.canonical_hash(pa.table(SMALL))


def test_hash_takes_every_nan_for_one():
    odd = np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    assert tables.canonical_hash(pa.table({"x": odd})) == tables.canonical_hash(
        pa.table({"x": [float("nan")]})
    )


# --- files --------------------------------------------------------------------------------------


def test_files_round_trip(spells, tmp_path):
    path = tmp_path / "spells.parquet"
    tables.write_table(path, spells)
    read = tables.read_table(path)
    tables.check("spells", read)
    assert read.to_pandas().equals(spells.to_pandas())
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert tables.read_table(path, ["run", "lab"]).column_names == ["run", "lab"]
    assert [p.name for p in tmp_path.iterdir()] == ["spells.parquet"]


def test_a_missing_or_torn_file_is_said_in_one_line(tmp_path):
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1 half a file")
    for path in (tmp_path / "absent.parquet", torn):
        with pytest.raises(tables.TableError, match=path.name) as caught:
            tables.read_table(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("step", ["write_table", "fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_at_any_step_leaves_the_old_file_and_no_other(spells, tmp_path, monkeypatch, step, failure):
    path = tmp_path / "spells.parquet"
    tables.write_table(path, spells)
    before = path.read_bytes()

    def fail(*_args, **_options):
        raise failure

    target = {
        "write_table": (pq, "write_table"),
        "fsync": (files.os, "fsync"),
        "replace": (files.Path, "replace"),
    }
    monkeypatch.setattr(*target[step], fail)
    with pytest.raises(type(failure)):
        tables.write_table(path, spells.slice(0, 1))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["spells.parquet"]


def test_the_file_is_synced_before_it_gets_its_name(tmp_path, monkeypatch):
    seen = []
    real = files.os.fsync
    monkeypatch.setattr(
        files.os, "fsync", lambda fd: (seen.append((tmp_path / "a.txt").exists()), real(fd))[1]
    )
    files.write_text(tmp_path / "a.txt", "words\n")
    assert seen == [False, True]  # the bytes before the rename, the folder after it
    assert (tmp_path / "a.txt").read_bytes() == b"words\n"
