"""Tables that are too wide for a code block in a chat, as pictures. `plotline.table_picture.picture.table_picture` draws them."""
