//! The pieces that screens are made of: one file each, borrowed data in, cells out, safe at any size.
