//! Services made of services.

use std::sync::Arc;

use http::StatusCode;
use middleware::{BoxFuture, Handler, Request, Response, answer};

use crate::{BalanceError, WeightedConfig, picker::Picker, sticky::Stickiness};

/// What answers the requests of a router in the end.
pub trait Service: Handler {
    /// Whether there is any server behind it.
    fn is_up(&self) -> bool;
}

/// Services by weight.
pub struct Weighted {
    members: Vec<Arc<dyn Service>>,
    picker: Picker,
    sticky: Option<Stickiness>,
    /// Whether members that are down are passed over.
    minds_health: bool,
}

impl Weighted {
    /// `members` are the services that `config` names, in its order.
    ///
    /// # Errors
    /// A cookie that cannot be one.
    pub fn new(
        name: &str,
        config: &WeightedConfig,
        members: Vec<Arc<dyn Service>>,
    ) -> Result<Self, BalanceError> {
        let weights = config.services.iter().map(|member| member.weight.unwrap_or(1)).collect();
        let names = config.services.iter().map(|member| member.name.as_str());
        Ok(Self {
            members,
            picker: Picker::new(weights),
            sticky: Stickiness::new(name, config.sticky.as_ref(), names)?,
            minds_health: config.health_check.is_some(),
        })
    }

    fn may(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|member| !self.minds_health || member.is_up())
    }
}

impl Handler for Weighted {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let known = self.sticky.as_ref().and_then(|sticky| sticky.find(request.headers()));
            let known = known.filter(|index| self.may(*index));
            let index = known.or_else(|| self.picker.pick(|index| self.may(index)));
            let Some((index, member)) = index.and_then(|index| Some((index, self.members.get(index)?)))
            else {
                return answer(StatusCode::SERVICE_UNAVAILABLE, "no available server");
            };
            let mut response = member.handle(request).await;
            if let Some(sticky) = &self.sticky
                && known.is_none()
            {
                sticky.remember(index, response.headers_mut());
            }
            response
        })
    }
}

impl Service for Weighted {
    fn is_up(&self) -> bool {
        !self.minds_health || self.members.iter().any(|member| member.is_up())
    }
}

/// A service and one for when it is down.
pub struct Failover {
    /// Asked while it is up.
    pub primary: Arc<dyn Service>,
    /// Asked while it is not.
    pub fallback: Arc<dyn Service>,
}

impl Handler for Failover {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        if self.primary.is_up() { self.primary.handle(request) } else { self.fallback.handle(request) }
    }
}

impl Service for Failover {
    fn is_up(&self) -> bool {
        self.primary.is_up() || self.fallback.is_up()
    }
}
