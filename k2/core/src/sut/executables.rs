//! Executables that run on SUTs: those that a rule of `tests.suts` is about.

use std::sync::Arc;

use super::Sut;
use super::bind::{Binder, Got, can_all};
use super::order::name_of;
use crate::case::{CaseAction, CaseId, TestCase};

/// Parameters of a variant of an executable, and its SUTs.
type Row = (Vec<(Arc<str>, Arc<str>)>, Vec<Arc<Sut>>);

impl Binder<'_> {
    /// Gives a SUT for each rule that is about it, and says in its environment which they are.
    pub(super) fn give_to_executable(&mut self, case: TestCase, bound: &mut Vec<TestCase>) {
        let id = case.id.as_str();
        let rules: Vec<_> = self
            .offer
            .rules
            .iter()
            .filter(|rule| rule.is_about(id))
            .collect();
        if rules.is_empty() {
            bound.push(case);
            return;
        }
        let mut rows: Vec<Row> = vec![(Vec::new(), Vec::new())];
        for (index, rule) in rules.iter().enumerate() {
            let name: Arc<str> = match index {
                0 => "sut".into(),
                more => format!("sut{}", more + 1).into(),
            };
            // Given from outside, it is a parameter already: then only the one of that name makes a variant.
            let mut own = case.parameters.iter().filter(|_| rule.each);
            let own = own.find(|(known, _)| *known == name);
            let own = own.map(|(_, sut)| &**sut);
            let can: Vec<&str> = rule.can.iter().map(String::as_str).collect();
            rows = rows
                .iter()
                .flat_map(|(parameters, suts)| {
                    let fitting = self.by_load().into_iter();
                    let free = fitting
                        .filter(|sut| can_all(sut, &can))
                        .filter(|sut| own.is_none_or(|own| own == sut.name()))
                        .filter(|sut| !suts.iter().any(|other| Arc::ptr_eq(other, sut)))
                        .take(if rule.each && own.is_none() {
                            usize::MAX
                        } else {
                            1
                        });
                    free.map(|sut| {
                        let (mut parameters, mut suts) = (parameters.clone(), suts.clone());
                        if rule.each && own.is_none() {
                            parameters.push((Arc::clone(&name), sut.name().into()));
                        }
                        suts.push(Arc::clone(sut));
                        (parameters, suts)
                    })
                    .collect::<Vec<_>>()
                })
                .collect();
            if rows.is_empty() {
                let reason = self.no_sut(&can);
                bound.push(self.lacking(case, reason));
                return;
            }
        }
        for (parameters, suts) in rows {
            let mut variant = case.clone();
            if !parameters.is_empty() {
                let name = name_of(&case);
                variant.parameters = variant.parameters.and(parameters);
                variant.id = CaseId::with_parameters(&name, &variant.parameters);
            }
            let got = suts.into_iter().map(|sut| Some(Got::Sut(sut))).collect();
            let mut variant = self.with(variant, got);
            if let CaseAction::Process(process) = &mut variant.action {
                process.environment.extend(variant.binding.environment());
            }
            bound.push(variant);
        }
    }
}
