CREATE TABLE `account` (
	`owner` varchar(20) NOT NULL,
	`balance` int NOT NULL,
	CONSTRAINT `account_owner` PRIMARY KEY(`owner`)
);
