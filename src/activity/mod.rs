//! From the text of an Activity file to what is to be done with many repositories, once; or to problems with line and column.
//!
//! Pure: bytes in, values out.
