CREATE TABLE entries (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    written TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    author VARCHAR(80) NOT NULL,
    words TEXT NOT NULL,
    KEY (written)
);
INSERT INTO entries (author, words) VALUES ('The host', 'Welcome, and write something');
