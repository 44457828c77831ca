-- The address as login compares it, whatever the collation, case and blanks of the email column.
-- Not unique: two of MsgQ's rows may differ in case alone.
ALTER TABLE `user` ADD COLUMN address VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
	GENERATED ALWAYS AS (LOWER(TRIM(email))) VIRTUAL;
CREATE INDEX user_address ON `user` (address);
