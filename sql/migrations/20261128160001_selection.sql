-- migrate:up

-- Whether a donation of a streamer's list fits what is selected (null: whatever it is); kopecks, texts folded. The
-- donor and the words are looked for in what was written and in what was shown. PostgreSQL puts it in line.
CREATE FUNCTION donation_fits(
    amount_minor bigint, status text, donor_name text, message text, written_name text, written_message text,
    least_minor bigint, most_minor bigint, is_anonymous boolean, donor text, words text, state text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (least_minor IS NULL OR amount_minor >= least_minor)
       AND (most_minor IS NULL OR amount_minor <= most_minor)
       AND (is_anonymous IS NULL OR (donor_name IS NULL) = is_anonymous)
       AND (donor IS NULL OR strpos(fold_text(donor_name), donor) > 0
            OR written_name IS DISTINCT FROM donor_name AND strpos(fold_text(written_name), donor) > 0)
       AND (words IS NULL OR strpos(fold_text(concat_ws(E'\n', donor_name, message)), words) > 0
            OR (written_name, written_message) IS DISTINCT FROM (donor_name, message)
               AND strpos(fold_text(concat_ws(E'\n', written_name, written_message)), words) > 0)
       AND CASE state
           WHEN 'paid' THEN status IN ('paid', 'partially_refunded')
           WHEN 'refunded' THEN status IN ('refunded', 'charged_back')
           WHEN 'partly' THEN status = 'partially_refunded'
           ELSE true END
$$;

-- migrate:down
