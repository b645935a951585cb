-- A double-entry bank: two balances and a record, or nothing. The client names
-- each transfer, and a name is used once.

create table account (
  id      integer primary key,
  balance bigint not null check (balance >= 0)
);

create table transfer (
  id     bigint primary key,
  debit  integer not null,
  credit integer not null,
  amount bigint not null check (amount > 0)
);

insert into account select n, 1000000000000 from generate_series(0, 9999) n;

-- Rows are locked in one order, so that no two transfers wait for each other.
create function transfer(of_id bigint, from_account integer, to_account integer, moved bigint) returns void language plpgsql as $$
begin
  if from_account < to_account then
    update account set balance = balance - moved where id = from_account;
    update account set balance = balance + moved where id = to_account;
  else
    update account set balance = balance + moved where id = to_account;
    update account set balance = balance - moved where id = from_account;
  end if;
  insert into transfer values (of_id, from_account, to_account, moved);
end
$$;

-- Many transfers in one transaction, without a round trip for each.
create function transfers(first bigint, froms integer[], tos integer[]) returns void language plpgsql as $$
begin
  for i in 1 .. array_length(froms, 1) loop
    perform transfer(first + i - 1, froms[i], tos[i], 1);
  end loop;
end
$$;
