//! Random numbers that are the same everywhere: SplitMix64, and the few distributions a load needs.

/// A stream of random numbers, decided by its seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

/// From here on a Poisson distribution is taken for a normal one.
const LARGE_MEAN: f64 = 12.0;

impl Random {
    /// The stream number `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03));
        random.next();
        random
    }

    /// 64 random bits. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Near enough to a standard normal distribution: the sum of four uniform ones, scaled to variance 1.
    pub fn normal(&mut self) -> f64 {
        let bits = self.next();
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        (sum as f64 / 65_536.0 - 2.0) * 3f64.sqrt()
    }

    /// `exp` of a normal distribution.
    pub fn log_normal(&mut self, mean: f64, deviation: f64) -> f64 {
        (mean + deviation * self.normal()).exp()
    }

    /// How many events happen where `mean` are expected.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean >= LARGE_MEAN {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        // Knuth: multiply until what is left is less likely than nothing at all.
        let limit = (-mean).exp();
        let mut product = self.uniform();
        let mut events = 0;
        while product > limit {
            product *= self.uniform();
            events += 1;
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean of many draws.
    fn mean(mut draw: impl FnMut(&mut Random) -> f64) -> f64 {
        let mut random = Random::new(1, 2);
        (0..20_000).map(|_| draw(&mut random)).sum::<f64>() / 20_000.0
    }

    #[test]
    fn a_stream_is_decided_by_its_seed() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [random.next(), random.next()]
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn distributions_have_their_means() {
        let near =
            |value: f64, want: f64| assert!((value - want).abs() < 0.05 * want.max(1.0), "{value} {want}");
        near(mean(Random::uniform), 0.5);
        near(mean(Random::normal), 0.0);
        near(mean(|random| random.normal().powi(2)), 1.0);
        for expected in [0.0, 0.3, 4.0, 11.9, 500.0] {
            near(mean(|random| random.poisson(expected) as f64), expected);
        }
    }
}
