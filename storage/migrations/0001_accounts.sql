-- People, their devices, who looks after whom, and who is logged in. Names are the seed system's.

CREATE TABLE users (
    user_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username      varchar(50) NOT NULL CHECK (username <> ''),
    email         varchar(255),
    password_hash varchar(255) NOT NULL,
    full_name     varchar(255),
    age           integer CHECK (age BETWEEN 0 AND 150),
    gender        varchar(10),
    phone         varchar(20),
    address       text,
    serial_number varchar(100),
    role          varchar(20) NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'doctor', 'admin')),
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    last_login    timestamptz,
    CONSTRAINT users_serial_number_key UNIQUE (serial_number)
);

-- Two people whose names differ by case only would be taken for each other.
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_role_idx ON users (role);

CREATE TABLE devices (
    device_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id          uuid REFERENCES users ON DELETE SET NULL,
    device_type      varchar(20) NOT NULL CHECK (device_type IN ('ecg', 'cpap', 'bipap', 'oxygen')),
    device_serial    varchar(100),
    device_name      varchar(255),
    manufacturer     varchar(100),
    model            varchar(100),
    firmware_version varchar(50),
    token_hash       bytea,
    is_active        boolean NOT NULL DEFAULT true,
    registered_at    timestamptz NOT NULL DEFAULT now(),
    last_seen        timestamptz,
    CONSTRAINT devices_device_serial_key UNIQUE (device_serial),
    CONSTRAINT devices_token_hash_key UNIQUE (token_hash)
);

CREATE INDEX devices_user_id_idx ON devices (user_id);
CREATE INDEX devices_device_type_idx ON devices (device_type);

CREATE TABLE care_assignments (
    doctor_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    patient_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz CHECK (ended_at >= assigned_at),
    PRIMARY KEY (doctor_id, patient_id, assigned_at)
);

CREATE INDEX care_assignments_patient_id_idx ON care_assignments (patient_id);

CREATE TABLE user_sessions (
    session_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash  bytea NOT NULL,
    device_info varchar(255),
    ip_address  varchar(45),
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz
);

CREATE INDEX user_sessions_user_id_idx ON user_sessions (user_id);
CREATE INDEX user_sessions_token_hash_idx ON user_sessions (token_hash);
CREATE INDEX user_sessions_expires_at_idx ON user_sessions (expires_at);
