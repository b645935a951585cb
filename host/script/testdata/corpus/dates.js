// answer: [1700000000000,1700000000000,"2023-11-14T22:13:20.000Z",0,"Tue Nov 14 2023 22:13:20 GMT+0000 (UTC)"]
export default () => [Date.now(), new Date().getTime(), new Date().toISOString(), new Date(2020, 1).getTimezoneOffset(), Date()];
