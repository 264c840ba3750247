-- name: list_entries
-- The next of a selection between two places (left out), with what became of their alerts: of `looked` donations, those
-- that fit, at most `limit`. Alerts are looked for among few: only where they decide, all that fit else have theirs read.
SELECT entry.key, entry.at, entry.is_manual, entry.public_id, entry.status, entry.amount_minor, entry.refunded_minor,
       entry.charged_back_minor, entry.donor_name, entry.message, entry.source, entry.hidden_at IS NOT NULL AS is_hidden,
       CASE WHEN alert.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alert.status END AS alert_status,
       alert.shown_at, alert.interrupted,
       EXISTS (SELECT FROM test_payments WHERE donation_id = entry.key AND is_counted) AS is_test
FROM (
    SELECT entry.key, entry.at, entry.is_manual, entry.public_id, entry.status, entry.amount_minor,
           entry.refunded_minor, entry.charged_back_minor, entry.donor_name, entry.message, entry.source, entry.hidden_at
    FROM donation_history(:streamer_id, :among, :after_at, :after_key, :before_at, :before_key, :oldest_first, :looked)
         AS entry
    WHERE donation_fits(entry.amount_minor, entry.status, entry.donor_name, entry.message, entry.written_name,
                        entry.written_message, :least_minor, :most_minor, :is_anonymous, :donor, :words, :state)
    ORDER BY CASE WHEN :oldest_first THEN entry.at END, CASE WHEN :oldest_first THEN entry.key END, entry.at DESC,
             entry.key DESC
    LIMIT CASE WHEN :state IN ('shown', 'waiting', 'held') THEN NULL ELSE :limit::integer END
) AS entry
LEFT JOIN LATERAL (
    SELECT alerts.status, alerts.shown_at, alerts.interrupted, alerts.summary_id FROM alerts
    WHERE alerts.donation_id = entry.key AND alerts.kind = 'donation'
    UNION ALL
    (SELECT alerts.status, alerts.shown_at, alerts.interrupted, alerts.summary_id FROM alerts
     WHERE alerts.manual_donation_id = -entry.key ORDER BY alerts.id DESC LIMIT 1)
) AS alert ON true
LEFT JOIN alerts AS summary ON summary.id = alert.summary_id
WHERE CASE :state::text
      WHEN 'shown' THEN alert.status = 'shown'
      WHEN 'waiting' THEN alert.status IN ('queued', 'playing')
      WHEN 'held' THEN alert.status = 'held'
      ELSE true END
ORDER BY CASE WHEN :oldest_first THEN entry.at END, CASE WHEN :oldest_first THEN entry.key END, entry.at DESC, entry.key DESC
LIMIT :limit;

-- name: find_edge^
-- The last place that a look at so many donations reaches; no row when it reaches the end.
SELECT at, key
FROM donation_history(:streamer_id, :among, :after_at, :after_key, :before_at, :before_key, :oldest_first, :looked)
ORDER BY CASE WHEN :oldest_first THEN at END, CASE WHEN :oldest_first THEN key END, at DESC, key DESC
OFFSET :looked - 1 LIMIT 1;

-- name: sum_up^
-- What a selection comes to, as far as a look at `looked` donations reaches; fits as list_entries does. Kopecks; what is
-- under review is nobody's yet, and what was written by hand is no money of ours. `edge` is null at the end of the list.
SELECT count(*) FILTER (WHERE fits AND NOT entry.is_manual AND entry.status <> 'review')::integer AS donations,
       coalesce(sum(entry.amount_minor) FILTER (WHERE fits AND NOT entry.is_manual AND entry.status <> 'review'), 0)::bigint
           AS came_minor,
       coalesce(sum(least(entry.refunded_minor + entry.charged_back_minor, entry.amount_minor)) FILTER (WHERE fits), 0)
           ::bigint AS returned_minor,
       count(*) FILTER (WHERE fits AND entry.status = 'review')::integer AS in_review,
       count(*) FILTER (WHERE fits AND entry.is_manual)::integer AS manual,
       coalesce(sum(entry.amount_minor) FILTER (WHERE fits AND entry.is_manual), 0)::bigint AS manual_minor,
       CASE WHEN count(*) = :looked THEN min(ROW(entry.at, entry.key)) END AS edge
FROM donation_history(:streamer_id, :among, :after_at, :after_key, :before_at, :before_key, :oldest_first, :looked) AS entry
CROSS JOIN LATERAL (SELECT
  donation_fits(entry.amount_minor, entry.status, entry.donor_name, entry.message, entry.written_name,
                entry.written_message, :least_minor, :most_minor, :is_anonymous, :donor, :words, :state)
  AND CASE WHEN :state IN ('shown', 'waiting', 'held') THEN
      CASE coalesce(
          (SELECT alerts.status FROM alerts WHERE alerts.donation_id = entry.key AND alerts.kind = 'donation'),
          (SELECT alerts.status FROM alerts WHERE alerts.manual_donation_id = -entry.key ORDER BY alerts.id DESC LIMIT 1))
          WHEN 'shown' THEN :state = 'shown'
          WHEN 'held' THEN :state = 'held'
          WHEN 'queued' THEN :state = 'waiting'
          WHEN 'playing' THEN :state = 'waiting'
          ELSE false END
      ELSE true END AS fits) AS judged;

-- name: sum_all^
-- What all of a streamer's donations come to, from the running totals, without looking through them.
SELECT coalesce(totals.donations, 0) + returned.whole AS donations,
       (coalesce(totals.net_minor, 0) + returned.minor)::bigint AS came_minor, returned.minor AS returned_minor,
       (SELECT count(*) FROM donations WHERE streamer_id = :streamer_id AND status = 'review')::integer AS in_review,
       manual.number AS manual, manual.minor AS manual_minor
FROM (SELECT count(*) FILTER (WHERE status <> 'partially_refunded')::integer AS whole,
             coalesce(sum(least(refunded_minor + charged_back_minor, amount_minor)), 0)::bigint AS minor
      FROM donations
      WHERE streamer_id = :streamer_id AND status IN ('partially_refunded', 'refunded', 'charged_back')) AS returned
CROSS JOIN (SELECT count(*)::integer AS number, coalesce(sum(amount_minor), 0)::bigint AS minor
            FROM manual_donations WHERE streamer_id = :streamer_id AND deleted_at IS NULL) AS manual
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = :streamer_id;

-- name: set_hidden^
-- With what may be told of it.
UPDATE donations SET hidden_at = CASE WHEN :is_hidden::boolean THEN now() END, retold_at = now()
WHERE streamer_id = :streamer_id AND id = :donation_id AND (hidden_at IS NOT NULL) <> :is_hidden::boolean
RETURNING paid_at IS NOT NULL AS is_paid, public_donor_name AS donor_name, coalesce(public_message, '') AS message,
          EXISTS (SELECT FROM alerts WHERE donation_id = donations.id AND alerts.status = 'held') AS is_held;
