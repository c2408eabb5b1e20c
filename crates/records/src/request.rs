//! Passes expressions to the SDK's requests.

use crate::expression::Expressions;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, KeysAndAttributesBuilder, PutBuilder, UpdateBuilder};

/// A request, or an action of a transaction, that accepts expressions.
pub trait WithExpressions {
    /// Sets the expressions that this kind of request accepts.
    #[must_use]
    fn with_expressions(self, expressions: Expressions) -> Self;
}

/// Implements [`WithExpressions`] with the setters for names and values and the listed ones. With `names`, the request
/// has no setter for values.
macro_rules! with_expressions {
    ($request:ty, names $(, $setter:ident: $field:ident)*) => {
        impl WithExpressions for $request {
            fn with_expressions(self, expressions: Expressions) -> Self {
                self.set_expression_attribute_names(expressions.names())
                    $(.$setter(expressions.$field))*
            }
        }
    };
    ($request:ty $(, $setter:ident: $field:ident)*) => {
        impl WithExpressions for $request {
            fn with_expressions(self, expressions: Expressions) -> Self {
                self.set_expression_attribute_names(expressions.names())
                    .set_expression_attribute_values(expressions.values())
                    $(.$setter(expressions.$field))*
            }
        }
    };
}

with_expressions!(GetItemFluentBuilder, names, set_projection_expression: projection);
with_expressions!(KeysAndAttributesBuilder, names, set_projection_expression: projection);
with_expressions!(PutItemFluentBuilder, set_condition_expression: condition);
with_expressions!(DeleteItemFluentBuilder, set_condition_expression: condition);
with_expressions!(UpdateItemFluentBuilder, set_condition_expression: condition, set_update_expression: update);
with_expressions!(QueryFluentBuilder, set_key_condition_expression: key_condition, set_projection_expression: projection);
with_expressions!(PutBuilder, set_condition_expression: condition);
with_expressions!(DeleteBuilder, set_condition_expression: condition);
with_expressions!(UpdateBuilder, set_condition_expression: condition, set_update_expression: update);
