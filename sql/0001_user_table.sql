-- The table as MsgQ has it; nothing happens where it exists already.
CREATE TABLE IF NOT EXISTS `user` (
	id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	email VARCHAR(255) NOT NULL UNIQUE,
	password VARCHAR(255) NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4;
