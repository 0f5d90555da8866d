using Xunit.Sdk;
using Xunit.v3;

// Live tensors are counted for the whole process, and libtorch's threads are the process's: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
