//! A list that nearly always has one element.

/// The first element needs no memory of its own, and that there are no more is one word: a queue that has just been filled is
/// as few cache lines as can be.
#[derive(Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    /// None as long as there is no second one.
    more: Option<Box<More<T>>>,
}

/// All but the first.
#[derive(Debug)]
struct More<T>(Vec<T>);

impl<T> Few<T> {
    pub(super) fn new() -> Self {
        Self {
            first: None,
            more: None,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        let more = self.more.as_ref().map_or(0, |more| more.0.len());
        usize::from(self.first.is_some()) + more
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(1) {
            None => self.first.as_ref(),
            Some(at) => self.more.as_ref()?.0.get(at),
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match at.checked_sub(1) {
            None => self.first.as_mut(),
            Some(at) => self.more.as_mut()?.0.get_mut(at),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, element: T) {
        if self.first.is_none() {
            self.first = Some(element);
        } else {
            let more = self.more.get_or_insert_with(|| Box::new(More(Vec::new())));
            more.0.push(element);
        }
    }

    pub(super) fn clear(&mut self) {
        self.first = None;
        self.more = None;
    }

    /// Takes all elements out.
    #[inline]
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        let more = self.more.as_mut();
        let more = more.into_iter().flat_map(|more| more.0.drain(..));
        self.first.take().into_iter().chain(more)
    }

    /// The place of the first element for which that is so.
    pub(super) fn position(&mut self, is_it: impl FnMut(&mut T) -> bool) -> Option<usize> {
        let more = self.more.as_mut();
        let more = more.into_iter().flat_map(|more| &mut more.0);
        self.first.iter_mut().chain(more).position(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_elements_are_a_list() {
        let mut few = Few::new();
        assert_eq!((few.len(), few.get(0)), (0, None));
        for number in 0..4 {
            few.push(number);
            assert_eq!(few.len(), number + 1);
            assert_eq!(few.position(|one| *one == number), Some(number));
        }
        assert_eq!(few.position(|one| *one == 4), None);
        *few.get_mut(2).unwrap() = 7;
        assert_eq!((few.get(2), few.get(4)), (Some(&7), None));
        assert_eq!(few.drain().collect::<Vec<_>>(), [0, 1, 7, 3]);
        assert_eq!(few.len(), 0);
        few.push(5);
        assert_eq!(few.get(0), Some(&5));
        few.clear();
        assert_eq!(few.get_mut(0), None);
    }
}
