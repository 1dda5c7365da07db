//! What a platform delivers one by one is taken in batches: whatever arrives during a commit forms the next batch.

use std::num::NonZeroUsize;

use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender};
use tokio::sync::oneshot;

/// The end at which items arrive. Clones share one queue.
pub struct Queue<T, R>(Sender<Arrived<T, R>>);

/// The end at which items are taken, in the order of their arrival.
pub struct Arrivals<T, R>(Receiver<Arrived<T, R>>);

/// An item, and where its result goes.
pub struct Arrived<T, R> {
    /// The item.
    pub item: T,
    /// Sends the result to the task that handed the item in. If it is dropped, that task learns that there is no result.
    pub answer: oneshot::Sender<R>,
}

/// A place in the queue for one item.
pub struct Slot<T, R>(OwnedPermit<Arrived<T, R>>);

/// Both ends of a queue for so many items.
pub fn queue<T, R>(capacity: NonZeroUsize) -> (Queue<T, R>, Arrivals<T, R>) {
    let (sender, receiver) = mpsc::channel(capacity.get());
    (Queue(sender), Arrivals(receiver))
}

impl<T, R> Clone for Queue<T, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, R> Queue<T, R> {
    /// Waits until there is space for one more item; `None` if nobody takes items any more.
    pub async fn slot(&self) -> Option<Slot<T, R>> {
        self.0.clone().reserve_owned().await.ok().map(Slot)
    }

    /// Hands in an item, and waits for its result; `None` if there will be none.
    pub async fn hand_in(&self, item: T) -> Option<R> {
        self.slot().await?.fill(item).await.ok()
    }
}

impl<T, R> Slot<T, R> {
    /// Hands in an item. The receiver gets its result.
    pub fn fill(self, item: T) -> oneshot::Receiver<R> {
        let (answer, result) = oneshot::channel();
        self.0.send(Arrived { item, answer });
        result
    }
}

impl<T, R> Arrivals<T, R> {
    /// Waits for an item, and takes it with all that have arrived by then, at most `most`. Cancel-safe. Empty if nobody can
    /// hand in any more.
    pub async fn next(&mut self, most: usize) -> Vec<Arrived<T, R>> {
        let mut batch = Vec::new();
        self.0.recv_many(&mut batch, most).await;
        batch
    }

    /// Whether nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_arrives_while_a_batch_is_taken_is_the_next_batch_in_its_order() {
        let (queue, mut arrivals) = super::queue::<u32, u32>(NonZeroUsize::new(3).unwrap());
        let mut results = Vec::new();
        for n in 0..3 {
            results.push(queue.slot().await.unwrap().fill(n));
        }
        let mut full = std::pin::pin!(queue.slot());
        assert!(futures_util::poll!(&mut full).is_pending(), "there is space for three");
        let batch = arrivals.next(2).await;
        assert_eq!(batch.iter().map(|one| one.item).collect::<Vec<_>>(), [0, 1]);
        results.push(full.await.unwrap().fill(3));
        for one in batch {
            one.answer.send(one.item * 10).unwrap();
        }
        let rest = arrivals.next(2).await;
        assert_eq!(rest.iter().map(|one| one.item).collect::<Vec<_>>(), [2, 3]);
        drop(rest);
        let mut seen = Vec::new();
        for result in results {
            seen.push(result.await.ok());
        }
        assert_eq!(seen, [Some(0), Some(10), None, None], "what is dropped has no result");
        drop(arrivals);
        assert_eq!(queue.hand_in(4).await, None);
    }
}
