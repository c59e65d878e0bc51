-- Whose data an audited deed was about, and what else is worth knowing of it.

ALTER TABLE audit_log
    ADD COLUMN patient_id uuid, -- no foreign key: the line outlives the patient's account
    ADD COLUMN detail     text;

CREATE INDEX audit_log_patient_id_at_idx ON audit_log (patient_id, at);
