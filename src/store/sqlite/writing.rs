//! What is written.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::rows;
use crate::list::Notice;
use crate::store::database::{Changes, Ended, ReaderRow, Settlement, micros, tags_text};

/// From how many readers at once on they are a file's: then the index of tokens, which come in no order, should stay in memory,
/// in kibibytes. That of the addresses is walked along.
const MANY_READERS: usize = 500;
const MEMORY_FOR_MANY: i64 = 32_000;

pub(super) fn apply(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    if changes.readers.len() >= MANY_READERS {
        connection.pragma_update(None, "cache_size", -MEMORY_FOR_MANY)?;
    }
    forget(connection, changes)?;
    keep_readers(connection, &changes.readers)?;
    keep_tokens(connection, changes)?;
    keep_notices(connection, changes)?;
    keep_ledger(connection, changes)?;
    keep_counts(connection, changes)?;
    let heads = &changes.heads;
    connection
        .prepare_cached(
            "UPDATE heads SET number = ?1, digest = ?2, seal = ?3, next_subscriber = ?4, next_notice = ?5, \
             next_import = ?6, writes = writes + 1",
        )?
        .execute(params![
            heads.chain.number,
            &heads.chain.digest[..],
            &heads.seal[..],
            heads.next_subscriber,
            heads.next_notice,
            heads.next_import
        ])?;
    Ok(())
}

fn forget(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    if !changes.forgotten.is_empty() {
        let entries = "(SELECT number FROM ledger WHERE subscriber = ?1 AND number < ?2)";
        let mut details =
            connection.prepare_cached(&format!("DELETE FROM ledger_details WHERE number IN {entries}"))?;
        let mut ips =
            connection.prepare_cached(&format!("DELETE FROM ledger_ips WHERE number IN {entries}"))?;
        let mut tokens = connection.prepare_cached("DELETE FROM tokens WHERE subscriber = ?1")?;
        let mut notices = connection.prepare_cached("DELETE FROM notices WHERE subscriber = ?1")?;
        // What a server said may name the reader.
        let mut replies = connection.prepare_cached(
            "UPDATE deliveries SET reply = NULL WHERE mailing IN (SELECT id FROM mailings) AND subscriber = ?1",
        )?;
        let mut returns = connection.prepare_cached("DELETE FROM returns WHERE subscriber = ?1")?;
        let mut histories = connection.prepare_cached("DELETE FROM histories WHERE subscriber = ?1")?;
        let mut readers = connection.prepare_cached("DELETE FROM subscribers WHERE id = ?1")?;
        for (reader, before) in &changes.forgotten {
            details.execute([reader.0, *before])?;
            ips.execute([reader.0, *before])?;
            tokens.execute([reader.0])?;
            notices.execute([reader.0])?;
            replies.execute([reader.0])?;
            returns.execute([reader.0])?;
            histories.execute([reader.0])?;
            readers.execute([reader.0])?;
        }
    }
    if !changes.dropped.is_empty() {
        let mut drop = connection
            .prepare_cached("DELETE FROM tokens WHERE subscriber = ?1 AND kind = ?2 AND used IS NULL")?;
        for (reader, kind) in &changes.dropped {
            drop.execute(params![reader.0, kind.name()])?;
        }
    }
    Ok(())
}

fn keep_readers(connection: &Connection, readers: &[ReaderRow]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO subscribers (id, sameness, address, name, status, source, language, tags, created, changed,
             unsubscribe_nonce, unsubscribe_digest, confirmation_mailed, links_mailed, waiting_address,
             waiting_until, returns_until, reason, import)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (id) DO UPDATE SET sameness = excluded.sameness, address = excluded.address,
             name = excluded.name, status = excluded.status, source = excluded.source,
             language = excluded.language, tags = excluded.tags, changed = excluded.changed,
             confirmation_mailed = excluded.confirmation_mailed, links_mailed = excluded.links_mailed,
             waiting_address = excluded.waiting_address, waiting_until = excluded.waiting_until,
             returns_until = excluded.returns_until, reason = excluded.reason, import = excluded.import",
    )?;
    for ReaderRow { reader, unsubscribe } in readers {
        let subscriber = &reader.subscriber;
        statement.execute(params![
            subscriber.id.0,
            subscriber.address.sameness(),
            subscriber.address.as_str(),
            subscriber.name,
            subscriber.status.name(),
            subscriber.source.name(),
            subscriber.language.tag(),
            tags_text(&subscriber.tags),
            micros(subscriber.created),
            micros(subscriber.changed),
            &reader.unsubscribe.0[..],
            &unsubscribe.0[..],
            reader.confirmation_mailed.map(micros),
            reader.links_mailed.map(micros),
            reader.waiting.as_ref().map(|waiting| waiting.address.as_str()),
            reader.waiting.as_ref().map(|waiting| micros(waiting.until)),
            reader.returns_until.map(micros),
            reader.reason,
            reader.import,
        ])?;
    }
    Ok(())
}

fn keep_tokens(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut grant = connection.prepare_cached(
        "INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (digest) DO UPDATE SET used = excluded.used",
    )?;
    for token in &changes.tokens {
        grant.execute(params![
            &token.digest.0[..],
            token.kind.name(),
            token.subscriber.0,
            token.until.map(micros),
            token.used.map(micros)
        ])?;
    }
    Ok(())
}

fn keep_notices(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO notices (id, subscriber, kind, address, language, charset, nonce, unsubscribe_nonce, created,
             due, epoch, attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 0, 0)",
    )?;
    for row in &changes.notices {
        let (kind, address, language) = rows::carried(&row.notice);
        statement.execute(params![
            row.id,
            row.notice.subscriber.0,
            kind,
            address,
            language,
            row.notice.charset,
            &row.notice.nonce.0[..],
            row.notice.unsubscribe.as_ref().map(|nonce| &nonce.0[..]),
            micros(row.created),
        ])?;
    }
    Ok(())
}

fn keep_ledger(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut bar = connection.prepare_cached("INSERT OR IGNORE INTO barred VALUES (?1)")?;
    for digest in &changes.barred {
        bar.execute([&digest[..]])?;
    }
    let mut word = connection.prepare_cached("INSERT OR IGNORE INTO wordings VALUES (?1, ?2)")?;
    for (digest, text) in &changes.wordings {
        word.execute(params![&digest[..], text])?;
    }
    let mut chain =
        connection.prepare_cached("INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut details = connection.prepare_cached("INSERT INTO ledger_details VALUES (?1, ?2, ?3)")?;
    let mut ips = connection.prepare_cached("INSERT INTO ledger_ips VALUES (?1, ?2, ?3)")?;
    for sealed in &changes.entries {
        let entry = &sealed.entry;
        chain.execute(params![
            entry.number,
            micros(entry.at),
            entry.kind.name(),
            entry.subscriber.map(|reader| reader.0),
            entry.status.map(|status| status.name()),
            &entry.details[..],
            entry.ip.as_ref().map(|octets| &octets[..]),
            &entry.previous[..],
            &entry.digest[..],
        ])?;
        if let Some(opening) = &sealed.details {
            details.execute(params![entry.number, &opening.salt[..], opening.text])?;
        }
        if let Some(opening) = &sealed.ip {
            ips.execute(params![entry.number, &opening.salt[..], opening.text])?;
        }
    }
    Ok(())
}

fn keep_counts(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut ask = connection.prepare_cached(
        "INSERT INTO asked VALUES (?1, ?2, ?3) ON CONFLICT (network, address) DO UPDATE SET at = excluded.at",
    )?;
    for asked in &changes.asked {
        ask.execute(params![asked.network, &asked.address[..], micros(asked.at)])?;
    }
    let mut count = connection.prepare_cached(
        "INSERT INTO confirmations VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET number = number + excluded.number",
    )?;
    for (at, number) in &changes.confirmations {
        count.execute(params![micros(*at), number])?;
    }
    let mut import = connection.prepare_cached(
        "INSERT INTO imports VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET taken = excluded.taken, undone = excluded.undone",
    )?;
    for record in &changes.imports {
        import.execute(params![
            record.id,
            micros(record.at),
            record.entry,
            record.source_name,
            record.file_name,
            record.taken as i64,
            record.undone.map(micros)
        ])?;
    }
    Ok(())
}

pub(super) fn claim_notices(
    connection: &Connection,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    most: usize,
) -> rusqlite::Result<Vec<(Notice, i64)>> {
    let mut statement = connection.prepare_cached(
        "UPDATE notices SET leased_until = ?2, epoch = epoch + 1, attempts = attempts + 1
         WHERE id IN (SELECT id FROM notices WHERE settled IS NULL AND due <= ?1
                      AND (leased_until IS NULL OR leased_until <= ?1) ORDER BY due, id LIMIT ?3)
         RETURNING id, kind, address, language, charset, nonce, unsubscribe_nonce, created, attempts, epoch",
    )?;
    let rows = statement.query_map(params![micros(at), micros(until), most as i64], rows::notice)?;
    let mut claimed = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    claimed.sort_by_key(|(notice, _)| notice.id);
    Ok(claimed)
}

pub(super) fn settle_notice(
    connection: &Connection,
    id: i64,
    epoch: i64,
    settlement: &Settlement,
) -> rusqlite::Result<bool> {
    let settled = settlement.due.is_none().then(|| micros(settlement.at));
    let changed = connection
        .prepare_cached(
            "UPDATE notices SET due = coalesce(?3, due), settled = ?4, was_sent = ?5, reply = ?6, leased_until = NULL
             WHERE id = ?1 AND epoch = ?2 AND settled IS NULL",
        )?
        .execute(params![
            id,
            epoch,
            settlement.due.map(micros),
            settled,
            settled.map(|_| settlement.was_sent),
            settlement.reply
        ])?;
    Ok(changed == 1)
}

pub(super) fn shorten(connection: &Connection, before: DateTime<Utc>) -> rusqlite::Result<Option<i64>> {
    // Entries come in the order of their times, but for clocks that were put back: what is told must hold for all of
    // them, so everything up to the last old one goes.
    let last: Option<i64> = connection.query_row(
        "SELECT max(i.number) FROM ledger_ips i JOIN ledger l ON l.number = i.number WHERE l.at < ?1",
        [micros(before)],
        |row| row.get(0),
    )?;
    if let Some(last) = last {
        connection.execute("DELETE FROM ledger_ips WHERE number <= ?1", [last])?;
    }
    Ok(last)
}

pub(super) fn tidy(connection: &Connection, ended: &Ended) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM tokens WHERE until < ?1", [micros(ended.tokens)])?;
    connection.execute("DELETE FROM asked WHERE at < ?1", [micros(ended.asked)])?;
    connection.execute("DELETE FROM confirmations WHERE at < ?1", [micros(ended.asked)])?;
    connection.execute("DELETE FROM notices WHERE settled < ?1", [micros(ended.notices)])?;
    Ok(())
}

pub(super) fn scrub(connection: &Connection) -> rusqlite::Result<bool> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}
