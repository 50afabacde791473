"""The served copy of a website."""

from pathlib import Path

from d2lbuild.serving.publishing import Publisher


def _site(tmp_path: Path) -> tuple[Path, Publisher]:
    site = tmp_path / "site"
    (site / "a").mkdir(parents=True)
    (site / "index.html").write_text("1", encoding="utf-8")
    (site / "a" / "b.html").write_text("2", encoding="utf-8")
    return site, Publisher(site, tmp_path / "shown")


def test_only_files_that_are_not_what_they_were_are_told(tmp_path: Path) -> None:
    site, publisher = _site(tmp_path)
    assert publisher.publish() == ("a/b.html", "index.html")
    assert publisher.publish() == ()
    (site / "index.html").write_text("1", encoding="utf-8")
    assert publisher.publish() == ()
    (site / "index.html").write_text("3", encoding="utf-8")
    assert publisher.publish_files([site / "index.html", site / "a" / "b.html"]) == ("index.html",)
    assert (tmp_path / "shown" / "index.html").read_text(encoding="utf-8") == "3"
    (site / "a" / "b.html").unlink()
    assert publisher.publish() == ("a/b.html",)
    assert not (tmp_path / "shown" / "a" / "b.html").exists()


def test_what_another_process_did_to_the_copy_is_seen(tmp_path: Path) -> None:
    site, publisher = _site(tmp_path)
    publisher.publish()
    (tmp_path / "shown" / "index.html").write_text("damaged", encoding="utf-8")
    assert publisher.publish() == ("index.html",)
    assert Publisher(site, tmp_path / "shown").publish() == ()
