<?php
declare(strict_types=1);

$config = require getenv('GUESTBOOK_CONFIG');
$database = new PDO($config['dsn'], $config['user'], $config['password'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $author = trim($_POST['author'] ?? '');
    $words = trim($_POST['words'] ?? '');
    if ($author !== '' && $words !== '') {
        $database->prepare('INSERT INTO entries (author, words) VALUES (?, ?)')->execute([mb_strcut($author, 0, 80), $words]);
    }
    header('Location: /', true, 303);
    exit;
}

$entries = $database->query('SELECT written, author, words FROM entries ORDER BY id DESC LIMIT ' . (int) $config['entries_per_page']);
$text = fn (string $raw): string => htmlspecialchars($raw, ENT_QUOTES);
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title><?= $text($config['title']) ?></title>
<link rel="stylesheet" href="/style.css">
<h1><?= $text($config['title']) ?></h1>
<form method="post">
    <input name="author" placeholder="Your name" maxlength="80" required>
    <textarea name="words" placeholder="What you have to say" required></textarea>
    <button>Write</button>
</form>
<?php foreach ($entries as $entry): ?>
<article>
    <p><?= $text($entry['words']) ?></p>
    <footer><?= $text($entry['author']) ?>, <?= $entry['written'] ?></footer>
</article>
<?php endforeach ?>
<p class="host">Served by <?= $text($config['host']) ?></p>
</html>
