-- name: get_requisites^
SELECT kind, full_name, inn, ogrn, postal_address, email, phone, refund_rule, refund_days, purpose, age_mark,
       registry_number, registry_url, is_foreign_agent, foreign_agent_label
FROM requisites WHERE streamer_id = :streamer_id;

-- name: save_requisites!
INSERT INTO requisites (streamer_id, kind, full_name, inn, ogrn, postal_address, email, phone, refund_rule, refund_days,
                        purpose, age_mark, registry_number, registry_url, is_foreign_agent, foreign_agent_label)
VALUES (:streamer_id, :kind, :full_name, :inn, :ogrn, :postal_address, :email, :phone, :refund_rule, :refund_days,
        :purpose, :age_mark, :registry_number, :registry_url, :is_foreign_agent, :foreign_agent_label)
ON CONFLICT (streamer_id) DO UPDATE
SET kind = excluded.kind, full_name = excluded.full_name, inn = excluded.inn, ogrn = excluded.ogrn,
    postal_address = excluded.postal_address, email = excluded.email, phone = excluded.phone,
    refund_rule = excluded.refund_rule, refund_days = excluded.refund_days, purpose = excluded.purpose,
    age_mark = excluded.age_mark, registry_number = excluded.registry_number, registry_url = excluded.registry_url,
    is_foreign_agent = excluded.is_foreign_agent, foreign_agent_label = excluded.foreign_agent_label,
    updated_at = now();
