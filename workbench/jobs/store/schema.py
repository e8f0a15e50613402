"""The tables of the job manager and how they grew."""

from __future__ import annotations

from typing import Final

from workbench.database import Schema

__all__ = ["SCHEMA"]

_FIRST: Final = """
CREATE TABLE job_meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- Revisions go on growing over a lost index, because each begins at the time of its making.
INSERT INTO job_meta VALUES
    ('revision', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
    ('rebuilt', 0);

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    batch_id TEXT,
    position INTEGER NOT NULL DEFAULT 0,
    session_id TEXT,
    entry_index INTEGER,
    parent_prompt TEXT NOT NULL DEFAULT '',
    preview_of TEXT,
    preview_job_id TEXT,
    request TEXT NOT NULL,
    prompt TEXT NOT NULL,
    lane TEXT NOT NULL DEFAULT 'cpu',
    model_key TEXT NOT NULL DEFAULT '',
    work_key TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'queued',
    priority INTEGER NOT NULL,
    fair_key TEXT NOT NULL DEFAULT '',
    turn INTEGER NOT NULL DEFAULT 0,
    passed_over INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    step INTEGER NOT NULL DEFAULT 0,
    total_steps INTEGER NOT NULL DEFAULT 0,
    device TEXT,
    gpu_id INTEGER,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    error TEXT NOT NULL DEFAULT '',
    video_bytes INTEGER,
    has_poster INTEGER NOT NULL DEFAULT 0,
    has_preview INTEGER NOT NULL DEFAULT 0,
    video_gone INTEGER NOT NULL DEFAULT 0,
    starred INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL
);
CREATE INDEX jobs_queue ON jobs (lane, priority DESC, turn, seq) WHERE state = 'queued';
CREATE INDEX jobs_fair ON jobs (fair_key, priority, turn) WHERE state = 'queued';
CREATE INDEX jobs_model ON jobs (model_key, priority, turn, seq) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (job_id) WHERE state = 'running';
CREATE INDEX jobs_batch ON jobs (batch_id, position) WHERE batch_id IS NOT NULL;
CREATE INDEX jobs_session ON jobs (session_id, seq) WHERE preview_of IS NULL;
CREATE INDEX jobs_state ON jobs (state, seq) WHERE preview_of IS NULL;
CREATE INDEX jobs_listed ON jobs (seq) WHERE preview_of IS NULL;
CREATE INDEX jobs_revision ON jobs (revision);

CREATE VIRTUAL TABLE jobs_text USING fts5 (
    prompt, content = 'jobs', content_rowid = 'seq',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7', detail = none
);
CREATE TRIGGER jobs_text_insert AFTER INSERT ON jobs WHEN new.preview_of IS NULL BEGIN
    INSERT INTO jobs_text (rowid, prompt) VALUES (new.seq, new.prompt);
END;
CREATE TRIGGER jobs_text_delete AFTER DELETE ON jobs WHEN old.preview_of IS NULL BEGIN
    INSERT INTO jobs_text (jobs_text, rowid, prompt) VALUES ('delete', old.seq, old.prompt);
END;

CREATE TABLE batches (
    batch_id TEXT PRIMARY KEY,
    name TEXT NOT NULL DEFAULT '',
    session_id TEXT,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX batches_created ON batches (created_at);
CREATE INDEX batches_session ON batches (session_id, created_at);

-- The turn that was last served at each priority: where a newcomer's first job is placed.
CREATE TABLE turns (priority INTEGER PRIMARY KEY, turn INTEGER NOT NULL) WITHOUT ROWID;

-- What is paused: a device by its name, or '' for the whole queue.
CREATE TABLE pauses (device TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE devices (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    job_id TEXT,
    worker_pid INTEGER,
    worker_started REAL,
    worker_boot TEXT
) WITHOUT ROWID;

CREATE TABLE answered (
    key TEXT PRIMARY KEY,
    identifier TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;

-- Seconds that equal work took before, on each kind of device: a decaying mean.
CREATE TABLE durations (
    work_key TEXT NOT NULL,
    device_kind TEXT NOT NULL,
    seconds REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (work_key, device_kind)
) WITHOUT ROWID;
"""

_TALLIES: Final = """
-- How many jobs are in each state: counting a hundred thousand for every listing would cost.
CREATE TABLE job_tallies (state TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO job_tallies VALUES
    ('queued', 0), ('running', 0), ('complete', 0), ('failed', 0), ('cancelled', 0);
UPDATE job_tallies SET count =
    (SELECT count(*) FROM jobs WHERE jobs.state = job_tallies.state AND preview_of IS NULL);
CREATE TRIGGER job_tallies_insert AFTER INSERT ON jobs WHEN new.preview_of IS NULL BEGIN
    UPDATE job_tallies SET count = count + 1 WHERE state = new.state;
END;
CREATE TRIGGER job_tallies_update AFTER UPDATE OF state ON jobs
WHEN new.preview_of IS NULL AND old.state != new.state BEGIN
    UPDATE job_tallies SET count = count - 1 WHERE state = old.state;
    UPDATE job_tallies SET count = count + 1 WHERE state = new.state;
END;
CREATE TRIGGER job_tallies_delete AFTER DELETE ON jobs WHEN old.preview_of IS NULL BEGIN
    UPDATE job_tallies SET count = count - 1 WHERE state = old.state;
END;
"""

_SCORES: Final = """
ALTER TABLE jobs ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- A JSON object, name to value; NULL until measured.
ALTER TABLE jobs ADD COLUMN scores TEXT;
ALTER TABLE jobs ADD COLUMN scores_error TEXT NOT NULL DEFAULT '';
-- How urgently a finished video is to be measured: 0 not, 1 old, 2 just finished, 3 asked for.
ALTER TABLE jobs ADD COLUMN scores_due INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_scores_due ON jobs (scores_due, seq) WHERE scores_due > 0;
UPDATE jobs SET scores_due = 1 WHERE state = 'complete' AND preview_of IS NULL;

-- The same scores to sort and search by; kept in step by the triggers below.
CREATE TABLE job_scores (
    seq INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (seq, name)
) WITHOUT ROWID;
CREATE INDEX job_scores_order ON job_scores (name, value, seq);

-- Videos of one batch that look the same: each pair twice, once from either side.
CREATE TABLE near_duplicates (
    job_id TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (job_id, other)
) WITHOUT ROWID;

CREATE TRIGGER job_scores_update AFTER UPDATE OF scores ON jobs
WHEN new.scores IS NOT old.scores BEGIN
    DELETE FROM job_scores WHERE seq = new.seq;
    INSERT INTO job_scores SELECT new.seq, key, value FROM json_each(new.scores);
END;
CREATE TRIGGER near_duplicates_update AFTER UPDATE OF scores ON jobs
WHEN old.scores IS NOT NULL AND new.scores IS NOT old.scores BEGIN
    DELETE FROM near_duplicates WHERE other = new.job_id AND job_id IN
        (SELECT other FROM near_duplicates WHERE job_id = new.job_id);
    DELETE FROM near_duplicates WHERE job_id = new.job_id;
END;
CREATE TRIGGER job_scores_delete AFTER DELETE ON jobs WHEN old.scores IS NOT NULL BEGIN
    DELETE FROM job_scores WHERE seq = old.seq;
    DELETE FROM near_duplicates WHERE other = old.job_id AND job_id IN
        (SELECT other FROM near_duplicates WHERE job_id = old.job_id);
    DELETE FROM near_duplicates WHERE job_id = old.job_id;
END;
"""

_QUEUES: Final = """
ALTER TABLE jobs RENAME COLUMN lane TO queue;
ALTER TABLE jobs RENAME COLUMN work_key TO cost_key;
ALTER TABLE durations RENAME COLUMN work_key TO cost_key;
"""

_DELETED: Final = """
-- Deleted jobs that can be brought back: their rows as JSON.
CREATE TABLE deleted_jobs (
    job_id TEXT PRIMARY KEY,
    session_id TEXT,
    kept TEXT NOT NULL,
    video_bytes INTEGER NOT NULL,
    deleted_at REAL NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deleted_jobs_revision ON deleted_jobs (revision);
"""

_SOUND: Final = """
ALTER TABLE jobs ADD COLUMN has_audio INTEGER NOT NULL DEFAULT 0;
"""

_CHECKS: Final = """
-- Whether the video shows what its scene asks for, in short, as JSON; NULL until somebody asked.
ALTER TABLE jobs ADD COLUMN checks TEXT;
"""

_FOLLOWING: Final = """
-- A job that goes on from another is held in a queue of its own until that one is complete, and
-- ends with it if it ends without a video.
ALTER TABLE jobs ADD COLUMN follows TEXT;
CREATE INDEX jobs_follows ON jobs (follows) WHERE follows IS NOT NULL;
CREATE TRIGGER jobs_release AFTER UPDATE OF state ON jobs
WHEN new.state = 'complete' AND old.state != 'complete' BEGIN
    UPDATE jobs SET queue = substr(queue, 7), message = '', revision = new.revision
    WHERE follows = new.job_id AND state = 'queued' AND queue LIKE 'after:%';
END;
CREATE TRIGGER jobs_end_followers AFTER UPDATE OF state ON jobs
WHEN new.state IN ('failed', 'cancelled') AND old.state IN ('queued', 'running') BEGIN
    UPDATE jobs SET state = new.state, finished_at = new.finished_at, message = '',
        error = CASE new.state WHEN 'failed' THEN 'It goes on from ' || new.job_id ||
            ', which failed: ' || new.error ELSE '' END,
        revision = new.revision
    WHERE state = 'queued' AND job_id IN (
        WITH RECURSIVE later (id) AS (
            SELECT job_id FROM jobs WHERE follows = new.job_id
            UNION SELECT jobs.job_id FROM jobs JOIN later ON jobs.follows = later.id
        ) SELECT id FROM later
    );
END;
"""

SCHEMA: Final = Schema(
    "jobs", (_FIRST, _TALLIES, _SCORES, _QUEUES, _DELETED, _SOUND, _CHECKS, _FOLLOWING)
)
