//! Walking protobuf fields without building anything (protobuf.dev, "Encoding").

/// Why bytes are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends in the middle of a field.
    #[error("protobuf: unexpected end of message")]
    Truncated,
    /// A number of more than ten bytes.
    #[error("protobuf: varint too long")]
    Varint,
    /// A field has a wire type that does not exist, or another than its message says.
    #[error("protobuf: field {field} has wire type {wire_type}")]
    WireType {
        /// The field's number.
        field: u32,
        /// The type found.
        wire_type: u8,
    },
    /// A timestamp's nanoseconds are not within a second.
    #[error("protobuf: timestamp with {nanos} nanoseconds is out of range")]
    Nanos {
        /// As sent.
        nanos: i64,
    },
    /// A string is not UTF-8.
    #[error("protobuf: string field {field} is not valid UTF-8")]
    Utf8 {
        /// The field's number.
        field: u32,
    },
}

/// One field's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// Reads the fields of one message in order.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Bytes not read yet.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next field's number and value; `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = (key >> 3) as u32;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.take_array()?)),
            2 => {
                let size = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
                let (bytes, rest) = self.rest.split_at_checked(size).ok_or(DecodeError::Truncated)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => {
                self.take_array::<4>()?;
                Value::Fixed32
            }
            wire_type => return Err(DecodeError::WireType { field, wire_type: wire_type as u8 }),
        };
        Ok(Some((field, value)))
    }

    /// Passes over the length-delimited fields of number `field` (below 16) with which the message begins.
    #[inline]
    pub(crate) fn skip_leading(&mut self, field: u32) -> Result<(), DecodeError> {
        let key = (field << 3 | 2) as u8;
        while let Some((first, rest)) = self.rest.split_first()
            && *first == key
        {
            self.rest = rest;
            let size = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
            self.rest = self.rest.get(size..).ok_or(DecodeError::Truncated)?;
        }
        Ok(())
    }

    #[inline]
    fn take_array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        // Keys and most lengths have one byte.
        if let Some((first, rest)) = self.rest.split_first()
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { DecodeError::Truncated } else { DecodeError::Varint })
    }
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self, field: u32) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(other.mismatch(field)),
        }
    }

    pub(crate) fn string(self, field: u32) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(field)?).map_err(|_| DecodeError::Utf8 { field })
    }

    pub(crate) fn varint(self, field: u32) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(value) => Ok(value),
            other => Err(other.mismatch(field)),
        }
    }

    pub(crate) fn double(self, field: u32) -> Result<f64, DecodeError> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            other => Err(other.mismatch(field)),
        }
    }

    fn mismatch(self, field: u32) -> DecodeError {
        let wire_type = match self {
            Self::Varint(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Fixed32 => 5,
        };
        DecodeError::WireType { field, wire_type }
    }
}
