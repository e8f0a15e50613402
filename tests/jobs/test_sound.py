"""A job reports its video's sound, also after a lost index, and scores it."""

from __future__ import annotations

import signal
import zipfile
from pathlib import Path

from tests.jobs.shop import PATIENCE_S, Shop
from workbench.archive import BatchArchive
from workbench.engines.sound import decode_sound
from workbench.presentation import job_object
from workbench.rendering import RenderRequest

_ENGINES = {
    "animatic": "workbench.engines.animatic:AnimaticEngine",
    "sounding": "tests.engines.sounding:SoundingEngine",
}


def test_sound_is_kept_from_the_engine_to_the_published_video(shop: Shop, tmp_path: Path) -> None:
    manager = shop.use(engines=_ENGINES, scores=True)
    asked = [
        RenderRequest(prompt="a dog", engine=name, width=96, height=64, num_frames=12, fps=24)
        for name in ("sounding", "animatic")
    ]
    batch = manager.submit_batch(asked)
    ids = [job.job_id for job in batch.jobs]
    shop.ended(*ids)
    scored = shop.until(lambda: [j for j in map(manager.job, ids) if j.scores or j.scores_error])
    shop.until(lambda: all(manager.job(one).scores for one in ids))
    assert scored
    loud, still = map(manager.job, ids)
    assert (loud.has_audio, still.has_audio) == (True, False)
    assert [job_object(one).has_audio for one in (loud, still)] == [True, False]
    outcomes = [manager.recipe(one).outcome for one in ids]
    assert [one.has_audio for one in outcomes if one] == [True, False]
    assert loud.scores is not None
    assert still.scores is not None
    assert "loudness" in loud.scores
    assert "loudness" not in still.scores

    path = BatchArchive(manager, manager.batch(batch.batch_id)).write(tmp_path / "all.zip")
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.startswith("01_"))
        archive.extract(name, tmp_path)
    heard = decode_sound(tmp_path / name)
    assert heard is not None
    assert (heard.channels, heard.sample_rate) == (1, 24_000)

    shop.end_supervisor(signal.SIGTERM)
    for file in shop.paths.control.glob("index.sqlite3*"):
        file.unlink()
    again = manager.wait(ids, PATIENCE_S)
    assert [job.has_audio for job in again] == [True, False]
