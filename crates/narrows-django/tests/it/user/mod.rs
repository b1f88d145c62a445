mod authenticate;
mod check;
mod extract;
mod log_in;
mod next;
mod register;
mod rows;
mod throttle;
