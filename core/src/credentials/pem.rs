//! Why the text of a private key is no PEM (RFC 7468): mistakes that can be recognised are named.

/// What is wrong with a text that holds no PEM block of a private key.
pub(super) fn pem_mistake(text: &str) -> &'static str {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        "encrypted with a passphrase (decrypt it: openssl pkey -in encrypted.pem -out key.pem)"
    } else if text.contains("\\n") {
        r"written with a backslash and an n (\n) in place of each line break, as it comes out of an environment variable (replace them by line breaks)"
    } else if text.trim_start().starts_with(['"', '\'']) {
        "in quotes of its own (remove them)"
    } else if text.contains("-----BEGIN CERTIFICATE-----") {
        "a certificate"
    } else if text.contains("-----BEGIN PUBLIC KEY-----") || text.contains("-----BEGIN RSA PUBLIC KEY-----") {
        "a public key"
    } else if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        "a key of SSH"
    } else if text.contains("-----BEGIN ") && !text.trim_end().ends_with("-----") {
        "a PEM block that ends in the middle"
    } else {
        "no PEM block of such a key, or a damaged one"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            (r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", "backslash"),
            ("\"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n\"", "quotes"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----",
                "passphrase",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMIIE\n-----END RSA PRIVATE KEY-----",
                "passphrase",
            ),
            ("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", "a public key"),
            ("-----BEGIN RSA PUBLIC KEY-----\nMIIE\n-----END RSA PUBLIC KEY-----", "a public key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nMIIE\n-----END OPENSSH PRIVATE KEY-----", "a key of SSH"),
            ("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "a certificate"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", "in the middle"),
            ("MIIE", "no PEM block"),
        ] {
            assert!(pem_mistake(text).contains(named), "{text}");
        }
    }
}
