#include "config.h"

#include "runtime/cluster/door.h"

void
door_free(struct door *door)
{
	if (door)
		door->ops->free(door);
}
