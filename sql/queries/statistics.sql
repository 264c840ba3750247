-- name: list_days
-- What each day of the streamer's time zone brought, less refunds; days without donations are left out.
SELECT day, net_minor, donations FROM streamer_days
WHERE streamer_id = :streamer_id AND day BETWEEN :first_day AND :last_day
ORDER BY day;

-- name: sum_days^
SELECT coalesce(sum(net_minor), 0)::bigint AS net_minor, coalesce(sum(donations), 0)::integer AS donations
FROM streamer_days WHERE streamer_id = :streamer_id AND day BETWEEN :first_day AND :last_day;

-- name: get_count^
-- What was counted of a period lately, if it is still good.
SELECT counted, counted_at FROM statistics_counts
WHERE streamer_id = :streamer_id AND first_day = :first_day AND last_day = :last_day AND time_zone = :time_zone
  AND good_until > now();

-- name: keep_count!
-- Keep what was many to count; what is no longer good goes.
WITH old AS (
    DELETE FROM statistics_counts
    WHERE streamer_id = :streamer_id AND good_until < now() AND (first_day, last_day) <> (:first_day, :last_day)
)
INSERT INTO statistics_counts (streamer_id, first_day, last_day, time_zone, counted, good_until)
VALUES (:streamer_id, :first_day, :last_day, :time_zone, :counted, now() + make_interval(secs => :good_seconds::float8))
ON CONFLICT (streamer_id, first_day, last_day) DO UPDATE
SET time_zone = excluded.time_zone, counted = excluded.counted, counted_at = now(), good_until = excluded.good_until;

-- name: count_hours
-- Donations that brought money, by weekday (1 is Monday) and hour of the streamer's clocks.
SELECT extract(isodow FROM paid_at AT TIME ZONE :time_zone)::integer AS weekday,
       extract(hour FROM paid_at AT TIME ZONE :time_zone)::integer AS hour,
       count(*)::integer AS donations,
       sum(amount_minor - refunded_minor - charged_back_minor)::bigint AS net_minor
FROM donations
WHERE streamer_id = :streamer_id AND paid_at >= :since AND paid_at < :until
  AND status IN ('paid', 'partially_refunded')
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: count_amounts^
-- The middle and the largest of what donations brought.
SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY left_minor), 0)::bigint AS median_minor,
       coalesce(max(left_minor), 0)::bigint AS largest_minor
FROM (SELECT amount_minor - refunded_minor - charged_back_minor AS left_minor FROM donations
      WHERE streamer_id = :streamer_id AND paid_at >= :since AND paid_at < :until
        AND status IN ('paid', 'partially_refunded')) AS given;

-- name: sum_tests$
-- What of it came through terminals for trying out.
SELECT coalesce(sum(donations.amount_minor - donations.refunded_minor - donations.charged_back_minor), 0)::bigint
FROM test_payments JOIN donations ON donations.id = test_payments.donation_id
WHERE test_payments.streamer_id = :streamer_id AND test_payments.is_counted
  AND donations.paid_at >= :since AND donations.paid_at < :until;

-- name: rank_donors
-- The best by sum and by number, as far down as the limit; names differing only by case are one donor. Those the
-- streamer has hidden are in neither list.
WITH donors AS MATERIALIZED (
    SELECT max(public_donor_name) AS name, count(*)::integer AS donations,
           sum(amount_minor - refunded_minor - charged_back_minor)::bigint AS net_minor, min(paid_at) AS first_at
    FROM donations
    WHERE streamer_id = :streamer_id AND paid_at >= :since AND paid_at < :until
      AND status IN ('paid', 'partially_refunded') AND public_donor_name IS NOT NULL AND hidden_at IS NULL
    GROUP BY lower(public_donor_name)
)
(SELECT 'sum' AS list, name, donations, net_minor FROM donors
 ORDER BY net_minor DESC, first_at LIMIT :limit)
UNION ALL
(SELECT 'count', name, donations, net_minor FROM donors
 ORDER BY donations DESC, net_minor DESC, first_at LIMIT :limit);

-- name: count_donors^
-- How many names gave, how many of them had given before, and what came without a name.
WITH given AS MATERIALIZED (
    SELECT lower(public_donor_name) AS name, count(*)::integer AS donations,
           sum(amount_minor - refunded_minor - charged_back_minor)::bigint AS net_minor
    FROM donations
    WHERE streamer_id = :streamer_id AND paid_at >= :since AND paid_at < :until
      AND status IN ('paid', 'partially_refunded')
    GROUP BY 1
)
SELECT count(*) FILTER (WHERE name IS NOT NULL)::integer AS named,
       count(*) FILTER (WHERE name IS NOT NULL AND EXISTS (
           SELECT FROM donations AS earlier
           WHERE earlier.streamer_id = :streamer_id AND lower(earlier.public_donor_name) = given.name
             AND earlier.paid_at < :since AND earlier.paid_at IS NOT NULL AND earlier.public_donor_name IS NOT NULL
       ))::integer AS returning_named,
       coalesce(max(donations) FILTER (WHERE name IS NULL), 0)::integer AS anonymous_donations,
       coalesce(max(net_minor) FILTER (WHERE name IS NULL), 0)::bigint AS anonymous_minor
FROM given;
