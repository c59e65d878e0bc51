-- An alarm's id is made of its device, kind and beginning, so the id alone says which alarm it is. A second unique
-- index refused one of two workers that told the same new alarm at the same moment: ON CONFLICT looks after one only.

ALTER TABLE ecg_alarms DROP CONSTRAINT ecg_alarms_device_id_kind_began_at_key;
CREATE INDEX ecg_alarms_device_id_kind_began_at_idx ON ecg_alarms (device_id, kind, began_at);
