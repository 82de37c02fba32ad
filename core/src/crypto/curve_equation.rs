//! Whether a point lies on its curve, for a core without a provider that knows. Points are public: nothing is to be learnt
//! from the time that it takes.

use super::Curve;

/// 32-bit digits, the lowest first; of P-256 the upper four are zero.
type Number = [u32; 12];

/// Whether the uncompressed point lies on the curve: y² = x³ - 3x + b (SP 800-186, section 3.2.1).
pub(crate) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
    let length = curve.coordinate_length();
    let [4, coordinates @ ..] = point else { return false };
    let Some((x, y)) = coordinates.split_at_checked(length).filter(|(_, y)| y.len() == length) else {
        return false;
    };
    let (x, y) = (number(x), number(y));
    let field = Field(modulus(curve));
    if !field.has(&x) || !field.has(&y) {
        return false;
    }
    let cube = field.times(&field.times(&x, &x), &x);
    let three_x = field.plus(&field.plus(&x, &x), &x);
    field.plus(&field.times(&y, &y), &three_x) == field.plus(&cube, &constant(curve))
}

/// p (SP 800-186, sections 3.2.1.3 and 3.2.1.4).
const fn modulus(curve: Curve) -> Number {
    const MAX: u32 = u32::MAX;
    match curve {
        Curve::P256 => [MAX, MAX, MAX, 0, 0, 0, 1, MAX, 0, 0, 0, 0],
        Curve::P384 => [MAX, 0, 0, MAX, MAX - 1, MAX, MAX, MAX, MAX, MAX, MAX, MAX],
    }
}

/// b.
const fn constant(curve: Curve) -> Number {
    match curve {
        Curve::P256 => [
            0x27d2_604b,
            0x3bce_3c3e,
            0xcc53_b0f6,
            0x651d_06b0,
            0x7698_86bc,
            0xb3eb_bd55,
            0xaa3a_93e7,
            0x5ac6_35d8,
            0,
            0,
            0,
            0,
        ],
        Curve::P384 => [
            0xd3ec_2aef,
            0x2a85_c8ed,
            0x8a2e_d19d,
            0xc656_398d,
            0x5013_875a,
            0x0314_088f,
            0xfe81_4112,
            0x181d_9c6e,
            0xe3f8_2d19,
            0x988e_056b,
            0xe23e_e7e4,
            0xb331_2fa7,
        ],
    }
}

/// Reads a big-endian number.
fn number(bytes: &[u8]) -> Number {
    let mut number = Number::default();
    for (digit, bytes) in number.iter_mut().zip(bytes.rchunks(4)) {
        *digit = bytes.iter().fold(0, |digit, byte| digit << 8 | u32::from(*byte));
    }
    number
}

/// The numbers below a modulus.
struct Field(Number);

impl Field {
    fn has(&self, number: &Number) -> bool {
        difference(number, &self.0).1
    }

    fn plus(&self, a: &Number, b: &Number) -> Number {
        let (sum, is_longer) = sum(a, b);
        let (reduced, is_below) = difference(&sum, &self.0);
        if is_longer || !is_below { reduced } else { sum }
    }

    /// By doubling, from the highest bit of `b` on.
    fn times(&self, a: &Number, b: &Number) -> Number {
        let bits = b.iter().rev().flat_map(|digit| (0..32).rev().map(move |place| digit >> place & 1 == 1));
        bits.fold(Number::default(), |product, bit| {
            let doubled = self.plus(&product, &product);
            if bit { self.plus(&doubled, a) } else { doubled }
        })
    }
}

/// The sum without its 385th bit, and whether it has one.
fn sum(a: &Number, b: &Number) -> (Number, bool) {
    let (mut sum, mut carry) = (*a, false);
    for (digit, other) in sum.iter_mut().zip(b) {
        (*digit, carry) = digit.carrying_add(*other, carry);
    }
    (sum, carry)
}

/// The difference, and whether it is below zero.
fn difference(a: &Number, b: &Number) -> (Number, bool) {
    let (mut difference, mut borrow) = (*a, false);
    for (digit, other) in difference.iter_mut().zip(b) {
        (*digit, borrow) = digit.borrowing_sub(*other, borrow);
    }
    (difference, borrow)
}

#[cfg(test)]
mod tests {
    use ring::agreement::{self, ECDH_P256, ECDH_P384, EphemeralPrivateKey};
    use ring::rand::SystemRandom;

    use super::*;

    /// A point that another library says is on the curve.
    fn point(algorithm: &'static agreement::Algorithm) -> Vec<u8> {
        let key = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
        key.compute_public_key().unwrap().as_ref().to_vec()
    }

    /// The point with its coordinate at this place, counted from the end, replaced.
    fn with(point: &[u8], curve: Curve, place: usize, coordinate: &Number) -> Vec<u8> {
        let length = curve.coordinate_length();
        let bytes: Vec<u8> = coordinate.iter().rev().flat_map(|digit| digit.to_be_bytes()).collect();
        let (mut point, start) = (point.to_vec(), point.len() - (place + 1) * length);
        point[start..start + length].copy_from_slice(&bytes[bytes.len() - length..]);
        point
    }

    #[test]
    fn points_are_told_from_what_is_none() {
        for (curve, algorithm) in [(Curve::P256, &ECDH_P256), (Curve::P384, &ECDH_P384)] {
            for _ in 0..20 {
                let good = point(algorithm);
                assert!(is_on_curve(curve, &good));
                for index in 0..good.len() {
                    let mut bad = good.clone();
                    bad[index] ^= 1 << (index % 8);
                    assert!(!is_on_curve(curve, &bad), "{bad:x?}");
                }
            }
            let good = point(algorithm);
            assert!(!is_on_curve(curve, &good[1..]) && !is_on_curve(curve, &[]));
            assert!(!is_on_curve(curve, &[&good[..], &[0]].concat()));
            assert!(!is_on_curve(curve, &vec![0; good.len()]), "the point at infinity has no such form");
            let other = if curve == Curve::P256 { Curve::P384 } else { Curve::P256 };
            assert!(!is_on_curve(other, &good));
            // Zero and the modulus are the same number of the field, of which the modulus is no form.
            let field = Field(modulus(curve));
            for place in [0, 1] {
                assert!(!is_on_curve(curve, &with(&good, curve, place, &field.0)));
            }
        }
    }

    /// x = 0, y = √b is a point of P-256: with x = p it would be taken for it, if nobody looked.
    #[test]
    fn a_coordinate_is_below_the_modulus() {
        let curve = Curve::P256;
        let field = Field(modulus(curve));
        // p is 3 modulo 4, so a root is the power (p + 1) / 4.
        let (exponent, _) = sum(&field.0, &number(&[1]));
        let bits =
            exponent.iter().rev().flat_map(|digit| (0..32).rev().map(move |place| digit >> place & 1 == 1));
        let bits: Vec<bool> = bits.collect();
        let root = bits[..bits.len() - 2].iter().fold(number(&[1]), |power, bit| {
            let squared = field.times(&power, &power);
            if *bit { field.times(&squared, &constant(curve)) } else { squared }
        });
        let mut point = vec![0; 65];
        point[0] = 4;
        let point = with(&point, curve, 0, &root);
        assert!(is_on_curve(curve, &point));
        assert!(!is_on_curve(curve, &with(&point, curve, 1, &field.0)));
    }
}
