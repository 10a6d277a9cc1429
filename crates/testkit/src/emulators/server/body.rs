//! Bodies of answers, right and wrong ones.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// How much of an endless body is made at once.
const PIECE: u64 = 64 << 10;

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Payload {
    /// All of it, then nothing.
    Whole(Option<Bytes>),
    /// The beginning of a body that claims to be longer, then the end of the connection.
    Part { beginning: Option<Bytes>, claimed: u64, flushed: bool },
    /// So many bytes, of no length that is known in advance.
    Long { left: u64, begun: bool },
}

/// The body ends before its time.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
pub(super) struct CutShort;

impl Payload {
    /// The first half of `whole`.
    pub(super) fn half(whole: &Bytes) -> Self {
        let beginning = Some(whole.slice(..whole.len() / 2));
        Self::Part { beginning, claimed: whole.len() as u64, flushed: false }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        Poll::Ready(match &mut *self {
            Self::Whole(whole) => whole.take().map(|whole| Ok(Frame::data(whole))),
            Self::Part { beginning, flushed, .. } => match beginning.take() {
                Some(beginning) => Some(Ok(Frame::data(beginning))),
                None if *flushed => Some(Err(CutShort)),
                // What was sent before is flushed while there is nothing to send.
                None => {
                    *flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            },
            Self::Long { left: 0, .. } => None,
            Self::Long { left, begun } => {
                let length = PIECE.min(*left);
                *left -= length;
                let mut piece = vec![b'x'; usize::try_from(length).unwrap_or_default()];
                if !std::mem::replace(begun, true) {
                    piece[0] = b'"';
                }
                Some(Ok(Frame::data(Bytes::from(piece))))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_none(),
            Self::Part { .. } => false,
            Self::Long { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => {
                SizeHint::with_exact(whole.as_ref().map_or(0, |whole| whole.len() as u64))
            }
            Self::Part { claimed, .. } => SizeHint::with_exact(*claimed),
            Self::Long { .. } => SizeHint::default(),
        }
    }
}
