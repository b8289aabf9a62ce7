//! A security key: what it makes and says, by WebAuthn, section 6. It can also say what no honest key would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Somebody touched it.
const PRESENT: u8 = 0x01;
/// A new key's description follows.
const DESCRIBED: u8 = 0x40;

pub(crate) struct Authenticator {
    pair: KeyPair,
    id: Vec<u8>,
    /// What it has counted; None: it does not.
    pub(crate) count: Option<u32>,
    /// Where its browser stands.
    pub(crate) origin: String,
}

impl Authenticator {
    pub(crate) fn new(origin: &str, id: u8) -> Self {
        Self {
            pair: KeyPair::generate().unwrap(),
            id: vec![id; 20],
            count: Some(0),
            origin: origin.to_owned(),
        }
    }

    fn data(&mut self, rp: &str, flags: u8) -> Vec<u8> {
        self.count = self.count.map(|n| n + 1);
        let mut data = Sha256::digest(rp).to_vec();
        data.push(flags);
        data.extend(self.count.unwrap_or_default().to_be_bytes());
        data
    }

    /// What the browser adds of its own, which the key signs too.
    fn client(&self, what: &str, challenge: &Value) -> String {
        let client = json!({"type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": false});
        client.to_string()
    }

    fn credential(&self, response: &Value) -> Value {
        let id = BASE64.encode(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
    }

    /// What comes of `navigator.credentials.create`.
    pub(crate) fn make(&mut self, options: &Value) -> Value {
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), PRESENT | DESCRIBED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // COSE: an ECDSA key on P-256, its two coordinates.
        let point = self.pair.der_bytes();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // CBOR, whose heads happen to be letters: a map of three, texts of three, four, seven and eight, and bytes.
        let mut attested = b"\xa3cfmtdnonegattStmt\xa0hauthDataX".to_vec();
        attested.push(u8::try_from(data.len()).unwrap());
        attested.extend(data);
        let client = self.client("webauthn.create", &options["challenge"]);
        self.credential(&json!({
            "clientDataJSON": BASE64.encode(client), "attestationObject": BASE64.encode(attested), "transports": ["usb"],
        }))
    }

    /// What comes of `navigator.credentials.get`.
    pub(crate) fn show(&mut self, options: &Value) -> Value {
        let data = self.data(options["rpId"].as_str().unwrap(), PRESENT);
        let client = self.client("webauthn.get", &options["challenge"]);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        self.credential(&json!({
            "clientDataJSON": BASE64.encode(client), "authenticatorData": BASE64.encode(&data),
            "signature": BASE64.encode(self.pair.sign(&signed).unwrap()),
        }))
    }
}
