//! What the libraries make of documents.
