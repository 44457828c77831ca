-- What ours adds. Every column has a default, so that an INSERT of an address and a password
-- alone keeps working, and MsgQ's auth reads the table as before.
ALTER TABLE `user` ADD COLUMN password_scheme VARCHAR(16) NOT NULL DEFAULT 'plain';
ALTER TABLE `user` ADD COLUMN admin TINYINT(1) NOT NULL DEFAULT 1;
ALTER TABLE `user` ADD COLUMN disabled TINYINT(1) NOT NULL DEFAULT 0;
ALTER TABLE `user` ADD COLUMN tokens_valid_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE `user` ADD COLUMN created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP;
