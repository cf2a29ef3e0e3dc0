"""Names of epochs as names of files."""

from edge_agent import epochs


def test_a_folder_knows_the_epoch_that_was_settled_last(tmp_path):
    assert epochs.names(tmp_path) == []
    for epoch in ("0123456789abcdef", "fedcba9876543210"):
        epochs.settle(tmp_path, epoch)
        epochs.settle(tmp_path, epoch)
        assert epochs.names(tmp_path) == [epoch]


def test_what_is_no_name_of_an_epoch_is_not_taken_for_one(tmp_path):
    (tmp_path / "epoch-of-steam").touch()
    assert epochs.names(tmp_path) == []


def test_a_folder_that_takes_no_name_is_no_trouble(tmp_path):
    epochs.settle(tmp_path / "nowhere", "0123456789abcdef")
